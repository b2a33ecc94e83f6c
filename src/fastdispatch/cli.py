"""Flask's module of that name is out of scope: importing it says so."""

from .errors import CLI
from .errors import OutOfScopeImport

raise OutOfScopeImport(__name__, CLI)
