"""The WSGI application: what granian, gunicorn or any other server loads."""

from governance.app import installation_checks
from governance.app.factory import create_app

app = create_app()
installation_checks.check_start(app.config["SETTINGS"])
