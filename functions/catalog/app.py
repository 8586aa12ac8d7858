"""The operations of the catalogue, served. Everybody may read them: no scope opens anything."""

from catalog import commerce, me
from holdfast.http.api import Api

api = Api(me.router, commerce.router, noun="")
handler = api.handler
