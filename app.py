"""The WSGI application: what granian, gunicorn or any other server loads."""

from governance.app.factory import create_app

app = create_app()
