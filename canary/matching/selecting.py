"""The part of a page that a CSS selector names."""

from canary.matching.listing import ListingRow, cut_rows, one_row

LONGEST_SELECTOR = 200
_RECORDS = "self::tr or self::li or not(.//tr or .//li)"


def is_selector(text: str) -> bool:
    """Tell whether this is a CSS selector."""
    from cssselect import HTMLTranslator, SelectorError

    try:
        HTMLTranslator().css_to_xpath(text)
    except (SelectorError, ValueError, RecursionError):
        return False
    return 0 < len(text) <= LONGEST_SELECTOR


def select_rows(text: str, selector: str, hidden: frozenset[str]) -> list[ListingRow] | None:
    """Return the rows of what a selector names on a page, or None when it names nothing.

    One element is a listing with rows in it. Of several, each is a row of its own, unless it
    holds table rows or list items.
    """
    from cssselect import HTMLTranslator
    from lxml import etree, html

    parser = html.HTMLParser(encoding="utf-8", huge_tree=True, no_network=True)
    try:
        page = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError):
        return None
    found = page.xpath(HTMLTranslator().css_to_xpath(selector))
    chosen, inside = [], set()
    for element in found:
        if element.getparent() not in inside:
            chosen.append(element)
        inside.add(element)
        inside.update(element.iterdescendants())
    if not chosen:
        return None
    rows: list[ListingRow] = []
    for element in chosen:
        source = etree.tostring(element, encoding="unicode", method="html", with_tail=False)
        is_row = len(chosen) > 1 and element.xpath(_RECORDS)
        rows += [one_row(source, hidden)] if is_row else cut_rows(source, hidden)
    return [row for row in rows if row.seen]
