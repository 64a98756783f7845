"""The page that posts an answer gives every value back as it was (Form Post Response Mode 1.0)."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from zorgid.kernel.sentences import Language
from zorgid.settings import Settings
from zorgid.web.shell import page_templates, static_files

PAGES = page_templates(Settings(node="test-node"), static_files())
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))


class Reader(HTMLParser):
    """Reads a page as a browser would: the forms, their hidden fields and the scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.actions: list[str | None] = []
        self.fields: list[tuple[str | None, str | None]] = []
        self.scripts = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given_attributes = dict(attrs)
        assert not any(name.startswith("on") for name in given_attributes)
        if tag == "form":
            self.actions.append(given_attributes["action"])
        if tag == "input":
            self.fields.append((given_attributes["name"], given_attributes["value"]))
        self.scripts += tag == "script"


@given(PRINTABLE, PRINTABLE)
def test_every_printable_state_and_code_is_read_back_and_nothing_else_appears(state: str, code: str) -> None:
    fields = (("code", code), ("state", state), ("iss", "https://op.example/oauth"))
    action = "https://xis.example/callback?a=b&c=d"
    for language in Language:
        context = {"action": action, "fields": fields, "script": "document.forms[0].submit()"}
        page = Reader(PAGES.render("oidc/form_post.html", language, context))
        assert page.actions == [action]
        assert page.fields == list(fields)
        assert page.scripts == 1
