"""The pages of the identity provider: Jinja source and its own stylesheet."""

_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%(title)s</title><link rel="stylesheet" href="{{ base }}/idp.css"></head>
<body><main><p class="meta">Demo identity provider of {{ issuer }}</p>%(body)s
<p class="meta">Runs on this machine only. Every person here is invented.</p></main></body></html>"""

_LOGIN = """
<h1>{% if hinted %}Sign in as {{ hinted.name }}{% else %}Choose who to sign in as{% endif %}</h1>
<p>{{ client.name or client.id }} will receive your name, email address and groups.</p>
{% if problem %}<p class="problem" role="alert">{{ problem }}</p>{% endif %}
{% if people %}<form method="post" action="{{ base }}/login">
<input type="hidden" name="csrf" value="{{ csrf }}">
{% if hinted and hinted.password %}<label for="password">Password of {{ hinted.email }}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>{% endif %}
<ul>{% for person in people %}
<li><button name="email" value="{{ person.email }}">
{%- if hinted %}Continue as {{ person.name }}
{%- else %}{{ person.name }}{% if person.title %} — {{ person.title }}{% endif %}{% endif %}</button></li>
{% endfor %}
</ul></form>{% endif %}
{% if by_address %}<form method="post" action="{{ base }}/login">
<input type="hidden" name="csrf" value="{{ csrf }}">
<label for="email">Work email</label>
<input id="email" name="email" type="email" autocomplete="username" required>
{% if passwords %}<label for="secret">Password, if you have one</label>
<input id="secret" name="password" type="password" autocomplete="current-password">{% endif %}
<button>Sign in</button></form>{% endif %}
<p><a href="{{ cancel }}">Go back without signing in</a></p>"""

_LOGOUT = """<h1>Sign out {{ person.name }}?</h1>
<p>This also signs {{ person.name }} out of every application opened from this browser.</p>
<form method="post" action="{{ base }}/logout/confirm"><input type="hidden" name="csrf" value="{{ csrf }}">
<button>Sign out</button></form>"""

PAGES = {
    "login": _FRAME % {"title": "Sign in", "body": _LOGIN},
    "logout": _FRAME % {"title": "Sign out", "body": _LOGOUT},
    "signed_out": _FRAME % {"title": "Signed out", "body": "<h1>You are signed out</h1>"},
    "rejected": (
        _FRAME
        % {
            "title": "Not signed in",
            "body": '<h1>Not signed in</h1><p role="alert">{{ why }}</p>',
        }
    ),
}

CSS = """:root { color-scheme: light dark; --ink: #12191f; --meta: #5f6b75; --sheet: #fff; --desk: #f1f3f5;
  --line: #d5dbe0; --control: #7c8791; --accent: #0b5a78; --bad: #a1201a; --bad-soft: #fce9e7; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ecf0; --meta: #8c99a3; --sheet: #151b20;
  --desk: #0d1114;
  --line: #2b343b; --control: #74808a; --accent: #74c3e1; --bad: #f8a49c; --bad-soft: #361715; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 40px 16px; background: var(--desk); color: var(--ink);
  font: 14px/1.5 Inter, system-ui, sans-serif; }
main { max-width: 420px; margin: 0 auto; padding: 24px; background: var(--sheet);
  border: 1px solid var(--line); border-radius: 10px; }
h1 { margin: 4px 0 8px; font-size: 21px; font-weight: 600; letter-spacing: -0.02em; line-height: 1.25; }
p { margin: 0 0 16px; }
.meta { margin: 0; font-size: 12px; color: var(--meta); }
.problem { padding: 8px 12px; border-radius: 6px; background: var(--bad-soft); color: var(--bad); }
ul { list-style: none; margin: 0 0 16px; padding: 0; }
li { margin-bottom: 8px; }
button, input { width: 100%; min-height: 40px; padding: 8px 12px; font: inherit; color: inherit;
  text-align: left; background: transparent; border: 1px solid var(--control); border-radius: 6px; }
button { cursor: pointer; font-weight: 500; }
button:hover { border-color: var(--accent); color: var(--accent); }
label { display: block; margin: 8px 0 4px; font-size: 13px; font-weight: 500; }
input { margin-bottom: 12px; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
"""
