"""Schemas of several files compiled as one set, in memory: a generated driver includes all files of a namespace.

libxml2 takes the first import of a namespace and passes over the others, so what their files declare would be missing.
Here every import of a namespace leads to the one driver of it. Files are read once, from configuration; what a location
inside a schema names is never opened.
"""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from lxml import etree

from kit.errors import Invalid
from services.mdm_adapter.dialects.cim_xml.parsing import Registry, Root, XmlRefused, parse

XS = "http://www.w3.org/2001/XMLSchema"
PART, WHOLE, DRIVER = "schema-set:/part/", "schema-set:/namespace/", "schema-set:/driver"


class SchemaRefused(Invalid):
    """A schema cannot be used; the words name the file, or the line."""


class _Texts(etree.Resolver):
    """Answers every location from memory, and those that are not there with nothing."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        super().__init__()
        self._texts = texts

    def resolve(self, system_url: str, _public_id: str, context: Any) -> Any:  # type: ignore[override]
        return self.resolve_string(self._texts.get(system_url, b""), context, base_url=system_url)


class SchemaSet:
    """The schemas of a folder, or of one file beside a folder."""

    def __init__(self, parts: Mapping[str, etree._Element]) -> None:
        self._parts = dict(parts)
        self._files: dict[str, list[str]] = {}
        included = {_basename(each) for part in parts.values() for each in part.iterfind(f"{{{XS}}}include")}
        for name, part in self._parts.items():
            namespace = part.get("targetNamespace", "")
            if namespace or name not in included:  # without a namespace it belongs to those that include it
                self._files.setdefault(namespace, []).append(name)

    @classmethod
    def of_folder(cls, folder: Path, but: bytes | None = None) -> "SchemaSet":
        """All schemas of a folder, without the one with these bytes. Raises SchemaRefused."""
        contents = {path.name: path.read_bytes() for path in sorted(folder.glob("*.xsd"))}
        return cls({name: _read(name, content) for name, content in contents.items() if content != but})

    def beside(self, name: str, schema: etree._Element) -> "SchemaSet":
        """The same with one schema more."""
        return SchemaSet({**self._parts, name: schema})

    def roots(self) -> Iterator[tuple[str, str]]:
        """Namespace and name of every element that may be the root of a document."""
        for namespace, names in self._files.items():
            for name in names:
                yield from ((namespace, root) for root in declared(self._parts[name]))

    def compiled(self, *namespaces: str) -> etree.XMLSchema:
        """One schema of these namespaces, without any named of all, and of what they import. Raises SchemaRefused."""
        names = list(self._parts)
        texts = {WHOLE + str(number): self._whole(each) for number, each in enumerate(self._files)}
        texts |= {PART + str(names.index(name)): self._linked(name) for name in names}
        parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
        parser.resolvers.add(_Texts(texts))
        driver = self._driver(namespaces or tuple(self._files))
        try:
            return etree.XMLSchema(etree.fromstring(driver, parser, base_url=DRIVER))
        except etree.XMLSchemaParseError as error:
            raise SchemaRefused(str(error)) from error

    def registry(self) -> Registry:
        """Every root of the set, all with the one compiled schema."""
        roots = list(self.roots())
        if not roots:
            return {}
        schema = self.compiled()
        return {(namespace, name): Root(name, schema) for namespace, name in roots}

    def _whole(self, namespace: str) -> bytes:
        return _schema(
            namespace, _includes(PART + str(list(self._parts).index(name)) for name in self._files[namespace])
        )

    def _driver(self, namespaces: Iterable[str]) -> bytes:
        order = list(self._files)
        links = [
            f'<xs:import namespace="{_quoted(each)}" schemaLocation="{WHOLE}{order.index(each)}"/>'
            for each in namespaces
            if each
        ]
        if "" in namespaces:
            links.append(_includes([WHOLE + str(order.index(""))]))
        return _schema("", "".join(sorted(links)))

    def _linked(self, name: str) -> bytes:
        """A part whose imports lead to drivers, each once, and whose includes lead to the set or are the driver's."""
        part, seen = deepcopy(self._parts[name]), set[str]()
        order, names = list(self._files), list(self._parts)
        for link in [*part.iterfind(f"{{{XS}}}import"), *part.iterfind(f"{{{XS}}}include")]:
            is_import, there = link.tag.endswith("import"), _basename(link)
            namespace = link.get("namespace", "")
            own = self._parts[there].get("targetNamespace") if there in self._parts else None
            if (is_import and namespace in seen) or (not is_import and own):
                part.remove(link)
            elif is_import and namespace in order:
                link.set("schemaLocation", WHOLE + str(order.index(namespace)))
            elif is_import:
                link.attrib.pop("schemaLocation", "")
            else:  # one that is not there gives nothing: what it should declare is then missed by its name
                link.set("schemaLocation", PART + (str(names.index(there)) if there in names else "none"))
            if is_import:
                seen.add(namespace)
        return etree.tostring(part)


def declared(schema: etree._Element) -> list[str]:
    """The global elements of a schema."""
    return [name for element in schema.iterfind(f"{{{XS}}}element") if (name := element.get("name"))]


def is_schema(root: etree._Element) -> bool:
    """Whether a document is a schema itself."""
    return root.tag == f"{{{XS}}}schema"


def _read(name: str, content: bytes) -> etree._Element:
    try:
        root = parse(content)
    except XmlRefused as refused:
        raise SchemaRefused(f"{name}: {refused}") from refused
    if not is_schema(root):
        raise SchemaRefused(f"{name}: its root is no schema")
    return root


def _basename(link: etree._Element) -> str:
    return link.get("schemaLocation", "").rsplit("/", 1)[-1]


def _schema(namespace: str, content: str) -> bytes:
    target = f' targetNamespace="{_quoted(namespace)}"' if namespace else ""
    return f'<xs:schema xmlns:xs="{XS}"{target}>{content}</xs:schema>'.encode()


def _includes(locations: Iterable[str]) -> str:
    return "".join(f'<xs:include schemaLocation="{each}"/>' for each in locations)


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
