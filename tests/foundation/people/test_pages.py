def test_sign_in_page(client):
    client.get("/login")


def test_members(as_admin):
    as_admin.get("settings/members")
    as_admin.get("settings/")
    as_admin.get("settings/sign-in")
    as_admin.get("settings/sessions")
    as_admin.get("settings/tenants")
