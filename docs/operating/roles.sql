-- Run once by psql as a superuser. Two roles, neither a superuser nor able to bypass row-level security:
-- governance_owner migrates, governance_app is what web and jobs sign in as. Passwords come from files.
-- They are in /run/secrets, or in the folder that --set secrets=… names.
\if :{?secrets}
\else
  \set secrets /run/secrets
\endif
\set owner_password `cat :'secrets'/owner_password`
\set app_password `cat :'secrets'/app_password`

CREATE ROLE governance_owner LOGIN PASSWORD :'owner_password' NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
CREATE ROLE governance_app LOGIN PASSWORD :'app_password' NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
CREATE DATABASE governance OWNER governance_owner;
REVOKE CONNECT ON DATABASE governance FROM PUBLIC;
GRANT CONNECT ON DATABASE governance TO governance_app;
