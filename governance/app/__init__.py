"""The composition root: features, application factory, page shell, error pages, commands, schedule."""
