"""The stream's handler."""

from ledger_stream.publish import publish_entries

handler = publish_entries
