from dataclasses import replace


def test_sign_in_page(client):
    client.get("/login")


def test_the_sign_in_page_has_the_operators_notice_while_its_file_is_there(
    app, client, settings, monkeypatch, tmp_path
):
    file = tmp_path / "notice.txt"
    monkeypatch.setitem(app.config, "SETTINGS", replace(settings, notice=file))
    assert "c-note" not in client.get("/login").text
    file.write_text("Upgrade at 22:00 UTC:\n<b>ten</b> minutes.\n")
    shown = client.get("/login").text
    assert "Upgrade at 22:00 UTC: &lt;b&gt;ten&lt;/b&gt; minutes." in shown
    file.write_bytes(b"\xff" + b"long " * 1000)
    assert client.get("/login").text.count("long ") < 100
    file.unlink()
    assert "c-note" not in client.get("/login").text


def test_members(as_admin):
    as_admin.get("settings/members")
    as_admin.get("settings/")
    as_admin.get("settings/sign-in")
    as_admin.get("settings/sessions")
    as_admin.get("settings/tenants")
