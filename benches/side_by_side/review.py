"""A short script in place of a run: reads accounts and an HR file, matches by address, and writes two CSV files."""

import csv
import datetime
import json
import sys
import urllib.parse
import urllib.request

address, token, connection, workspace, hr_file = sys.argv[1:6]


def pages(path, **query):
    cursor = None
    while True:
        asked = dict(query, integrated_account_id=connection, limit=100)
        if cursor:
            asked["next_cursor"] = cursor
        request = urllib.request.Request(
            f"{address}{path}?{urllib.parse.urlencode(asked)}",
            headers={"Authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(request) as answer:
            page = json.load(answer)
        yield page
        cursor = page.get("next_cursor")
        if not cursor:
            return


accounts = {}
for page in pages("/unified/user-directory/users", organization_id=workspace):
    for user in page["result"]:
        emails = [email["email"] for email in user.get("emails") or []]
        accounts[user["id"]] = {"id": user["id"], "name": user.get("name"), "emails": emails, "active": False}
for page in pages(f"/custom/workspaces/{workspace}/workspace_memberships", opt_fields="user,is_active"):
    rows = page.get("result") or page.get("data") or []
    rows = rows.get("data", []) if isinstance(rows, dict) else rows
    for row in rows:
        account = accounts.get((row.get("user") or {}).get("gid"))
        if account:
            account["active"] = bool(row.get("is_active"))

now = datetime.datetime.now(datetime.timezone.utc)
gone = {}
with open(hr_file, newline="", encoding="utf-8") as file:
    for row in csv.DictReader(file):
        end = row["Termination Date"]
        if end and datetime.date.fromisoformat(end) < now.date():
            gone[row["Work Email"].strip().lower()] = row

with open("accounts.csv", "w", newline="", encoding="utf-8") as file:
    out = csv.writer(file)
    out.writerow(["id", "name", "emails", "active"])
    for account in accounts.values():
        out.writerow([account["id"], account["name"], " ".join(account["emails"]), account["active"]])
with open("findings.csv", "w", newline="", encoding="utf-8") as file:
    out = csv.writer(file)
    out.writerow(["account", "person", "end"])
    for account in accounts.values():
        for email in account["emails"]:
            row = gone.get(email.strip().lower())
            if row and account["active"]:
                out.writerow([account["id"], row["Employee ID"], row["Termination Date"]])
