"""Settings from the environment, including those of features."""

import os
from collections.abc import Mapping

from governance.app.features import FEATURES
from governance.kernel import config
from governance.kernel.feature_settings import SETTINGS, Setting


def feature_settings() -> tuple[Setting, ...]:
    return tuple(part for each in FEATURES for part in SETTINGS.parts_of(each.extensions))


def from_environment(environ: Mapping[str, str] = os.environ) -> config.Settings:
    """Read the settings. Raises SettingsError, which names each one that is missing or weak."""
    return config.from_environment(environ, feature_settings())
