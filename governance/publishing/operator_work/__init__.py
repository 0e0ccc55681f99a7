"""Queues, jobs and disks of the installation, for its operators."""
