"""The operations of credits, served."""

from credits import commerce
from holdfast.http.api import Api

api = Api(commerce.router, noun="credits")
handler = api.handler
