"""How XML of others is read: hardened, in a fixed order of checks, validated before anything is taken from it.

Order: size `TOO_LARGE`, any document type `DTD`, encoding and form `NOT_WELL_FORMED`, nesting `DEPTH`, root
`NAMESPACE` or `NOUN`, schema `SCHEMA`. No file is opened and no address is called for what a message names.
"""

import codecs
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast
from xml.parsers import expat

from lxml import etree

from kit.errors import Invalid

MESSAGE_BYTES = 10_000_000
DEPTH = 100
FINDINGS = 20
ENCODINGS = frozenset({"utf-8", "utf-16", "iso8859-1", "iso8859-15", "ascii"})
PLAIN = (b'<?xml version="1.0" encoding="UTF-8"?>', b"<?xml version='1.0' encoding='UTF-8'?>")
NOT_ALLOWED = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, b"<\0", b"\0<")
"""UTF-32, and UTF-16 that does not say so."""

HARDENED: Mapping[str, Any] = MappingProxyType(
    {
        "resolve_entities": False,
        "no_network": True,
        "load_dtd": False,
        "huge_tree": False,
        "remove_comments": True,
        "remove_pis": True,
    }
)
"""How any tree parser of ours is set up."""

_TOO_DEEP = etree.XPath(f"boolean({'/*' * (DEPTH + 1)})")


@dataclass(frozen=True, slots=True)
class XmlFinding:
    """What is wrong and where; `xpath` has no namespaces, positions count from 1."""

    code: str
    detail: str
    line: int | None = None
    column: int | None = None
    xpath: str | None = None


class XmlRefused(Invalid):
    """The document cannot be taken. Names the first findings, at most 20."""

    def __init__(self, *findings: XmlFinding, root: etree._Element | None = None) -> None:
        first = findings[0]
        super().__init__(f"{first.code}: {first.detail}")
        self._findings, self._root = findings, root

    @property
    def findings(self) -> tuple[XmlFinding, ...]:
        """What was found, in the order of the document."""
        return self._findings

    @property
    def root(self) -> etree._Element | None:
        """The parsed document, where it could be parsed at all: its header may still say whom to answer."""
        return self._root


@dataclass(frozen=True, slots=True)
class Root:
    """One registered root: its schema was compiled when the registry was built."""

    noun: str
    schema: etree.XMLSchema


Registry = Mapping[tuple[str, str], Root]
"""(namespace, local name) -> root."""


class _Found(Exception):
    """Leaves expat's prolog scan, which has seen what it was looking for; nobody else sees it."""


def parse(data: bytes, *, limit: int = MESSAGE_BYTES) -> etree._Element:
    """Read the bytes as XML, without any look at their meaning. Raises XmlRefused."""
    if len(data) > limit:
        raise XmlRefused(XmlFinding("TOO_LARGE", f"more than {limit} bytes"))
    if not (data.startswith(PLAIN) and b"<!DOCTYPE" not in data):  # else there is none, in the only encoding it may be
        scan_prolog([data])
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        raise XmlRefused(syntax_finding(error)) from error
    docinfo = root.getroottree().docinfo
    if docinfo.internalDTD is not None or docinfo.externalDTD is not None:
        raise XmlRefused(XmlFinding("DTD", "a document type is not allowed"))
    if data.count(b"<") > 2 * DEPTH and _TOO_DEEP(root):  # whoever goes so deep opens and closes as often
        raise XmlRefused(XmlFinding("DEPTH", f"elements are nested deeper than {DEPTH}"))
    return root


def read(data: bytes, registry: Registry, *, limit: int = MESSAGE_BYTES) -> etree._Element:
    """Read and validate a whole document; what is returned has passed its schema. Raises XmlRefused."""
    root = parse(data, limit=limit)
    route(root, registry)
    return root


def route(root: etree._Element, registry: Registry) -> Root:
    """Find what this element is and validate it. Raises XmlRefused, with the root for an answer."""
    namespace, _, local = root.tag[1:].rpartition("}") if root.tag.startswith("{") else ("", "", root.tag)
    registered = registry.get((namespace, local))
    if registered is None:
        name, place = etree.QName(root), f"/{local}"
        known = any(namespace == name.namespace for namespace, _ in registry)
        code, detail = "NAMESPACE", f"namespace {name.namespace or '(none)'} is not known"
        if known:
            code, detail = "NOUN", f"{name.localname} is not an element of {name.namespace}"
        raise XmlRefused(XmlFinding(code, detail, _line(root), None, place), root=root)
    if findings := validate(root, registered.schema):
        raise XmlRefused(*findings, root=root)
    return registered


def validate(element: etree._Element, schema: etree.XMLSchema) -> list[XmlFinding]:
    """The first findings of the schema against this element and all below it."""
    if schema.validate(element):
        return []
    return [
        XmlFinding("SCHEMA", _without_namespaces(entry.message), entry.line, entry.column, _plain_path(entry, element))
        for entry in islice(cast("Iterable[Any]", schema.error_log), FINDINGS)
    ]


def compiled(path: Path) -> etree.XMLSchema:
    """A schema of our own or of a partner's configuration, never of a message."""
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
    return etree.XMLSchema(etree.parse(str(path), parser))


def registry_of(schemas: Iterable[tuple[str, str, str, Path]]) -> Registry:
    """Build a registry from (namespace, local name, noun, schema file); each file is compiled once."""
    once = lru_cache(maxsize=None)(compiled)
    return {(namespace, local): Root(noun, once(path)) for namespace, local, noun, path in schemas}


def _line(element: etree._Element) -> int | None:
    line = element.sourceline
    return line if isinstance(line, int) else None


def _parser() -> etree.XMLParser:
    return etree.XMLParser(**HARDENED)


def scan_prolog(chunks: Iterable[bytes]) -> None:
    """Look for a document type up to the root element, before a tree parser meets what it declares.

    Of the chunks only those are taken that are needed. Raises XmlRefused.
    """
    scan, begin = _prolog_scanner(), b""
    try:
        for chunk in chunks:
            begin = begin or chunk[:4]
            if begin.startswith(NOT_ALLOWED):
                raise XmlRefused(XmlFinding("NOT_WELL_FORMED", "the encoding is not one of those allowed", 1, 1))
            scan.Parse(chunk, False)
        scan.Parse(b"", True)
    except _Found:
        return
    except (expat.ExpatError, LookupError, ValueError) as error:
        line, column = getattr(error, "lineno", 1), getattr(error, "offset", 0) + 1
        raise XmlRefused(XmlFinding("NOT_WELL_FORMED", str(error), line, column)) from error


def _prolog_scanner() -> expat.XMLParserType:
    scan = expat.ParserCreate()
    scan.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def doctype(*_: object) -> None:
        raise XmlRefused(XmlFinding("DTD", "a document type is not allowed", scan.CurrentLineNumber))

    def declaration(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and _codec(encoding) not in ENCODINGS:
            raise XmlRefused(XmlFinding("NOT_WELL_FORMED", f"encoding {encoding[:40]} is not allowed", 1, 1))

    def root(*_: object) -> None:
        raise _Found

    scan.StartDoctypeDeclHandler = doctype
    scan.XmlDeclHandler = declaration
    scan.StartElementHandler = root
    return scan


def _codec(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        return ""
    return "utf-16" if name.startswith("utf-16") else name


def syntax_finding(error: etree.XMLSyntaxError) -> XmlFinding:
    """Why a tree parser gave up, in our words."""
    text = str(error.msg)
    line, column = error.position
    if "Excessive depth" in text:  # libxml2's own limit, 256, is met before ours is looked at
        return XmlFinding("DEPTH", f"elements are nested deeper than {DEPTH}", line, column)
    return XmlFinding("NOT_WELL_FORMED", text, line, column)


def _without_namespaces(message: str) -> str:
    return "".join(part.split("}", 1)[-1] for part in message.split("{"))


def _plain_path(entry: Any, element: etree._Element) -> str:
    """The way from the validated element to the place, in local names: libxml2 writes `*` for unprefixed ones."""
    here, names = element, [etree.QName(element).localname]
    for step in (entry.path or "").split("/")[2:]:
        name, _, position = step.partition("[")
        local = name.split(":", 1)[-1]
        same = [child for child in here if name == "*" or etree.QName(child).localname == local]
        at = int(position.rstrip("]") or 1) - 1
        if at >= len(same):
            break
        here = same[at]
        names.append(f"{etree.QName(here).localname}{f'[{at + 1}]' if len(same) > 1 and name != '*' else ''}")
    return f"/{'/'.join(names)}"
