from governance.kernel.access import permission

REVIEW = permission("access_reviews.review", "review who has access", roles="admin compliance_officer")
