"""Auditor engagements: who may look, from when to when; requests and packages."""

from governance.kernel.feature import Feature

feature = Feature("engagements", __name__)
