"""Objects against schemas: built-in kinds against those of Kubernetes, custom kinds against the ones in schemas/."""

import functools
import json
from pathlib import Path

import jsonschema
import kubernetes_validate

# That of the k3s release in the example of a cluster file, and the newest that the package has: what is dropped shows here.
VERSIONS = ("1.33", kubernetes_validate.latest_version())
CUSTOM = {path.stem: path for path in (Path(__file__).parent / "schemas").glob("*.json")}


@functools.cache
def custom(kind: str):
    return jsonschema.Draft202012Validator(json.loads(CUSTOM[kind].read_text()))


def violations(item: dict) -> list:
    """One line per violation. A kind that nobody has a schema for is one: it would pass unread."""
    title = f"{item.get('kind')} {item.get('metadata', {}).get('name')}"
    if item.get("kind") in CUSTOM:
        errors = sorted(custom(item["kind"]).iter_errors(item), key=lambda error: list(map(str, error.path)))
        return [f"{title}: {'.'.join(map(str, error.path))}: {error.message}" for error in errors]
    found = []
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(item, version, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            found.append(f"{title}: no schema for {item.get('apiVersion')} in Kubernetes {version}")
        except kubernetes_validate.ValidationError as error:
            found.append(f"{title} (Kubernetes {version}): {'.'.join(map(str, error.path))}: {error.message}")
    return found
