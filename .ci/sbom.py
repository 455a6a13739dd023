"""Writes a CycloneDX SBOM of the crates that a package's binary is built from.

Reads the output of `cargo tree --edges normal,build --prefix depth --format '|{p}|{l}'`. Unlike `cargo metadata`, it
omits crates and features that only the tests need. Arguments: the commit, its time in seconds, and the address of the
source or an empty text.
"""

import json
import sys
import tomllib
import uuid
from datetime import datetime, timezone

commit, seconds, url = sys.argv[1:]
with open("Cargo.lock", "rb") as file:
    locked = tomllib.load(file)["package"]
checksums = {(entry["name"], entry["version"]): entry.get("checksum") for entry in locked}

components, needs, above = {}, {}, []
for line in sys.stdin:
    depth, package, license = line.rstrip("\n").split("|")
    name, version = package.split()[:2]
    version = version.removeprefix("v")
    purl = f"pkg:cargo/{name}@{version}"
    above[int(depth) :] = [purl]
    needs.setdefault(purl, set())
    if len(above) > 1:
        needs[above[-2]].add(purl)
    component = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    # A crate that was listed before ends with `(*)`.
    license = license.removesuffix(" (*)")
    if license:
        component["licenses"] = [{"expression": license.replace("/", " OR ")}]
    checksum = checksums[name, version]
    if checksum:
        component["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    components[purl] = component

root = components.pop(above[0])
root["type"] = "application"
root["properties"] = [{"name": "git:commit", "value": commit}]
if url:
    root["externalReferences"] = [{"type": "vcs", "url": url}]
sbom = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, root['purl'] + '#' + commit)}",
    "version": 1,
    "metadata": {
        "timestamp": datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "component": root,
    },
    "components": [components[purl] for purl in sorted(components)],
    "dependencies": [{"ref": purl, "dependsOn": sorted(needs[purl])} for purl in sorted(needs)],
}
json.dump(sbom, sys.stdout, indent=2, sort_keys=True)
sys.stdout.write("\n")
