"""Flask's module of that name is out of scope: importing it says so."""

from .errors import OutOfScopeImport
from .errors import TEMPLATES

raise OutOfScopeImport(__name__, TEMPLATES)
