"""Tests of `mosntx.router.routes`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import DslExpression, HeaderMatch, Match, VariableMatch
from mosntx.router.paths import PATH_FORMS, matchPath
from mosntx.router.routes import compileMatch
from mosntx.testing.requests import RpcRequest, httpRequest
from tests.router.build import header


def matches(match: Match, head) -> bool:
    """Whether a match is for a request, as a virtual host would ask."""
    return compileMatch(match).matches(head, matchPath(head.path))


class PathKindsTests(SynchronousTestCase):
    """Prefix, path and regex."""

    def check(self, match: Match, yes: list[bytes], no: list[bytes]) -> None:
        for path in yes:
            self.assertTrue(matches(match, httpRequest(path)), path)
        for path in no:
            self.assertFalse(matches(match, httpRequest(path)), path)
        self.assertFalse(matches(match, RpcRequest({"service": "/foo"})))

    def test_prefix(self):
        """A prefix knows no segments and has a case (scenario 26)."""
        self.check(
            Match(prefix="/foo"),
            [b"/foo", b"/footest", b"/foo/test", b"/foo?key=value", b"/%66oo", b"//foo"],
            [b"/", b"/test", b"/Foo", b"/a/foo", b"/foo/..", b"/?/foo"],
        )

    def test_path(self):
        """A path is equal in any case (scenario 27)."""
        self.check(
            Match(path="/test"),
            [b"/test", b"/Test", b"/TEST?a=b", b"/./test", b"/t%65st"],
            [b"/test/test", b"/test/", b"/tes", b"/"],
        )

    def test_regex(self):
        """A pattern is found anywhere in the path (scenario 27), not in the query."""
        self.check(
            Match(regex="/[0-9]+"),
            [b"/12345", b"/a/1b", b"/%31"],
            [b"/test", b"/test?/1"],
        )

    def test_oneKind(self):
        """Only the first kind that is given counts (scenario 25)."""
        self.check(Match(prefix="/p", path="/x", regex="y"), [b"/pq"], [b"/x", b"/y"])
        self.check(Match(path="/x", regex="y"), [b"/x"], [b"/y"])
        self.check(
            Match(regex="y", variables=(VariableMatch(name="URI", value="/x"),)), [b"/y"], [b"/x"]
        )

    def test_badRegex(self):
        """A pattern that is none is an error."""
        self.assertRaises(ValueError, compileMatch, Match(regex="a)"))

    def test_dsl(self):
        """All expressions must be true (scenario 46); a mistake names its column."""
        match = Match(
            dsl_expressions=(
                DslExpression(expression='request.method == "GET"'),
                DslExpression(expression='request.headers["a1"] == "b1"'),
            )
        )
        self.assertTrue(matches(match, httpRequest(headers={"A1": "b1"})))
        self.assertFalse(matches(match, httpRequest(headers={"a1": "b2"})))
        self.assertFalse(matches(match, httpRequest()))
        bad = Match(dsl_expressions=(DslExpression(expression="true &&"),))
        error = str(self.assertRaises(ValueError, compileMatch, bad))
        self.assertIn("dsl_expressions[0]: column 8 of the expression", error)

    def test_ignoreCase(self):
        """A prefix may ignore case; it still knows no segments."""
        match = Match(prefix="/FOO", ignore_case=True)
        self.check(match, [b"/foo", b"/Foobar", b"/FOO/x"], [b"/fo", b"/a/foo"])

    def test_encodedSlash(self):
        """Where an encoded slash is kept, it is one octet of a segment and no slash."""
        kept = PATH_FORMS["keep"]
        for path, found in ((b"/a%2fb", True), (b"/a/b", False), (b"/a%252Fb", False)):
            matcher = compileMatch(Match(path="/a%2Fb"), kept)
            self.assertEqual(matcher.matches(httpRequest(path), kept.match(path)), found, path)
            items = (VariableMatch(name="x-mosn-path", value="/a%2Fb"),)
            matcher = compileMatch(Match(variables=items), kept)
            self.assertEqual(matcher.matches(httpRequest(path), b""), found, path)


class HeaderTests(SynchronousTestCase):
    """Headers with a path rule."""

    def check(self, conditions: list[HeaderMatch], fields: dict[str, str], **more) -> bool:
        match = Match(prefix="/", headers=tuple(conditions))
        return matches(match, httpRequest(headers=fields, **more))

    def test_all(self):
        """All must be present and equal; others do not matter (scenario 28)."""
        both = [header("test-key", "test-value"), header("Key2", "value2")]
        fields = {"test-key": "test-value", "key2": "value2"}
        self.assertTrue(self.check(both, fields))
        self.assertTrue(self.check(both, {**fields, "more": "x"}))
        self.assertFalse(self.check(both, {"test-key": "test-value"}))
        self.assertFalse(self.check(both, {**fields, "key2": "Value2"}))

    def test_empty(self):
        """An empty value is a header that is there and empty."""
        self.assertTrue(self.check([header("a")], {"a": ""}))
        self.assertFalse(self.check([header("a")], {}))
        self.assertFalse(self.check([header("a")], {"a": "b"}))

    def test_regex(self):
        """A pattern is found in the value; the header must be there (scenario 29)."""
        self.assertTrue(self.check([header("a", ".*", regex=True)], {"a": ""}))
        self.assertFalse(self.check([header("a", ".*", regex=True)], {}))
        self.assertTrue(self.check([header("a", "b+", regex=True)], {"a": "xbby"}))
        self.assertFalse(self.check([header("a", "^b", regex=True)], {"a": "xb"}))

    def test_badRegex(self):
        """A pattern that is none is an error, not a condition less (scenario 29)."""
        match = Match(prefix="/", headers=(header("a", "a)", regex=True),))
        self.assertRaises(ValueError, compileMatch, match)

    def test_noName(self):
        """A header without a name is an error."""
        self.assertRaises(ValueError, compileMatch, Match(headers=(header(""),)))

    def test_method(self):
        """``method`` is the request's, never a pattern and never a header (scenario 30)."""
        post = [header("method", "POST")]
        self.assertTrue(self.check(post, {}, method=b"POST"))
        self.assertFalse(self.check(post, {"method": "POST"}))
        self.assertFalse(self.check([header("method", "P.*", regex=True)], {}, method=b"POST"))
        self.assertFalse(self.check([*post, header("a", "b")], {}, method=b"POST"))

    def test_first(self):
        """Of several fields of one name the first counts."""
        head = httpRequest(headers={"a": "1", "A": "2"})
        self.assertTrue(matches(Match(prefix="/", headers=(header("a", "1"),)), head))
        self.assertFalse(matches(Match(prefix="/", headers=(header("a", "2"),)), head))

    def test_otherKinds(self):
        """Path and regex rules look at headers too."""
        for match in (
            Match(path="/x", headers=(header("a", "1"),)),
            Match(regex="x", headers=(header("a", "1"),)),
        ):
            self.assertTrue(matches(match, httpRequest(b"/x", headers={"a": "1"})))
            self.assertFalse(matches(match, httpRequest(b"/x")))


class RpcTests(SynchronousTestCase):
    """Rules without a path."""

    def test_everything(self):
        """Without any condition everything matches."""
        self.assertTrue(matches(Match(), RpcRequest()))
        self.assertTrue(matches(Match(), httpRequest()))

    def test_service(self):
        """A single ``service`` is equal or any (scenario 32)."""
        exact = Match(headers=(header("service", "service#1"),))
        self.assertTrue(matches(exact, RpcRequest({"service": "service#1"})))
        self.assertFalse(matches(exact, RpcRequest({"service": "service#2"})))
        self.assertFalse(matches(exact, RpcRequest()))
        every = Match(headers=(header("service", ".*"),))
        self.assertTrue(matches(every, RpcRequest({"service": "x"})))
        self.assertFalse(matches(every, RpcRequest({"service": ""})))
        self.assertFalse(matches(every, RpcRequest()))

    def test_serviceIsNoPattern(self):
        """No other value of a single ``service`` is a pattern, whatever ``regex`` says."""
        match = Match(headers=(header("service", r"com\..*", regex=True),))
        self.assertFalse(matches(match, RpcRequest({"service": "com.x"})))

    def test_serviceAndMore(self):
        """With a second header ``.*`` needs ``regex``."""
        second = header("a", "1")
        head = RpcRequest({"service": "x", "a": "1"})
        self.assertFalse(matches(Match(headers=(header("service", ".*"), second)), head))
        regex = header("service", ".*", regex=True)
        self.assertTrue(matches(Match(headers=(regex, second)), head))

    def test_headers(self):
        """Without ``service`` all headers must match, and names have a case (scenario 33)."""
        match = Match(headers=(header("Key1", "v1"), header("key2", "v2")))
        self.assertTrue(matches(match, RpcRequest({"Key1": "v1", "key2": "v2", "x": "y"})))
        self.assertFalse(matches(match, RpcRequest({"key1": "v1", "key2": "v2"})))
        self.assertFalse(matches(match, RpcRequest({"Key1": "v1"})))

    def test_http(self):
        """HTTP requests match headers without a path too, in any case (scenario 31)."""
        match = Match(headers=(header("Key1", "v1"),))
        self.assertTrue(matches(match, httpRequest(headers={"kEY1": "v1"})))
        self.assertFalse(matches(match, httpRequest()))
        self.assertTrue(
            matches(Match(headers=(header("service", "s"),)), httpRequest(headers={"Service": "s"}))
        )

    def test_method(self):
        """Here ``method`` is an ordinary header."""
        match = Match(headers=(header("method", "GET"),))
        self.assertFalse(matches(match, httpRequest()))
        self.assertTrue(matches(match, RpcRequest({"method": "GET"})))


class VariableTests(SynchronousTestCase):
    """Rules by variables."""

    def check(self, *items: tuple[str, str, str, str], head) -> bool:
        variables = tuple(
            VariableMatch(name=name, value=value, regex=regex, model=model)
            for name, value, regex, model in items
        )
        return matches(Match(variables=variables), head)

    def test_groups(self):
        """Groups joined by ``and`` are alternatives joined by ``or`` (scenario 45)."""
        items = (
            ("request_header_header", "test", "", "OR"),
            ("x-mosn-method", "TEST", "", "and"),
            ("x-mosn-path", "", "/[0-9]+", "Or"),
            ("x-mosn-path", "/1234", "", ""),
        )
        self.assertTrue(self.check(*items, head=httpRequest(headers={"header": "test"})))
        self.assertTrue(self.check(*items, head=httpRequest(b"/1234")))
        self.assertFalse(self.check(*items, head=httpRequest(b"/x", method=b"TEST")))
        self.assertTrue(self.check(*items, head=httpRequest(b"/5", method=b"TEST")))
        self.assertFalse(self.check(*items, head=httpRequest(b"/5")))

    def test_missingModel(self):
        """An item that says nothing about the next one is joined with ``and`` (scenario 45)."""
        for model in (None, "and", "AND"):
            more = {} if model is None else {"model": model}
            first = VariableMatch(name="x-mosn-method", value="POST", **more)
            match = Match(variables=(first, VariableMatch(name="x-mosn-path", value="/1234")))
            self.assertTrue(matches(match, httpRequest(b"/1234", method=b"POST")))
            self.assertFalse(matches(match, httpRequest(b"/1234")))
            self.assertFalse(matches(match, httpRequest(b"/5", method=b"POST")))

    def test_value(self):
        """A pattern wins over a value, an item with neither is never true."""
        self.assertTrue(self.check(("ARG", "x", "^a", ""), head=httpRequest(b"/?a")))
        self.assertFalse(self.check(("ARG", "", "", ""), head=httpRequest(b"/")))

    def test_unset(self):
        """A variable that is not set is empty text."""
        self.assertTrue(self.check(("ARG", "", "^$", ""), head=RpcRequest()))
        self.assertFalse(self.check(("ARG", "x", "", ""), head=RpcRequest()))

    def test_rpc(self):
        """RPC requests have variables too."""
        head = RpcRequest({"service": "s"})
        self.assertTrue(self.check(("x-mosn-rpc-service", "s", "", ""), head=head))

    def test_errors(self):
        """Unknown names, bad patterns and bad joints are errors (spec/router.md 5)."""
        for item in (
            VariableMatch(name="nobody", value="x"),
            VariableMatch(name="URI", regex="("),
            VariableMatch(name="URI", value="x", model="xor"),
        ):
            self.assertRaises(ValueError, compileMatch, Match(variables=(item,)))
