import TestSupport
import Testing

@testable import Gateway

@Suite struct YAMLParserTests {
    private func parse(_ text: String) throws -> YAMLNode? { try YAMLParser.parse(Array(text.utf8)) }

    @Test func makesATreeWithLines() throws {
        let root = try #require(
            try parse(
                """
                # comment
                a: 1
                b:
                  - "x"
                  - { c: ~ }
                """
            )
        )
        func scalar(_ text: String, isPlain: Bool, _ line: Int, _ column: Int) -> YAMLNode {
            YAMLNode(value: .scalar(text, isPlain: isPlain), line: line, column: column)
        }
        let want = YAMLNode(
            value: .mapping([
                .init(key: "a", line: 2, column: 1, value: scalar("1", isPlain: true, 2, 4)),
                .init(
                    key: "b",
                    line: 3,
                    column: 1,
                    value: YAMLNode(
                        value: .sequence([
                            scalar("x", isPlain: false, 4, 5),
                            YAMLNode(
                                value: .mapping([
                                    .init(
                                        key: "c",
                                        line: 5,
                                        column: 7,
                                        value: scalar("~", isPlain: true, 5, 10)
                                    )
                                ]),
                                line: 5,
                                column: 5
                            ),
                        ]),
                        line: 4,
                        column: 3
                    )
                ),
            ]),
            line: 2,
            column: 1
        )
        #expect(root == want)
    }

    @Test(arguments: ["", "# only a comment\n", "\n\n"]) func emptyIsNil(_ text: String) throws {
        #expect(try parse(text) == nil)
    }

    @Test(arguments: [("", true), ("~", true), ("null", true), ("''", false), ("'null'", false), ("nil", false)])
    func knowsNull(_ text: String, _ isNull: Bool) throws {
        guard case .mapping(let entries)? = try parse("a: \(text)")?.value else {
            Issue.record("no mapping")
            return
        }
        #expect(entries[0].value.isNull == isNull)
    }

    @Test func takesAByteOrderMark() throws {
        #expect(try parse("\u{feff}a: 1") != nil)
    }

    @Test(arguments: [
        (
            "a: 1\n---\nb: 2\n",
            YAMLError(message: "one document is allowed, and here a second one starts", line: 2, column: 1)
        ),
        ("a: 1\nb: 2\na: 3\n", YAMLError(message: "the key 'a' was given before, on line 1", line: 3, column: 1)),
        ("a: &x 1\n", YAMLError(message: "anchors (&name) are not supported", line: 1, column: 4)),
        ("a: &x [1]\n", YAMLError(message: "anchors (&name) are not supported", line: 1, column: 4)),
        ("a: *x\n", YAMLError(message: "aliases (*name) are not supported", line: 1, column: 4)),
        ("a: !!int 1\n", YAMLError(message: "tags (!name) are not supported", line: 1, column: 4)),
        ("? [a]\n: 1\n", YAMLError(message: "a key must be text", line: 1, column: 3)),
        (
            "a: 1\n b: 2\n",
            YAMLError(message: "mapping values are not allowed in this context", line: 2, column: 3)
        ),
        (
            "a: [1, 2\n",
            YAMLError(
                message: "did not find expected ',' or ']' (while parsing a flow sequence)",
                line: 2,
                column: 1
            )
        ),
        (
            "a: 1\nb: \u{1}\n",
            YAMLError(message: "control characters are not allowed", line: 2, column: 4)
        ),
    ]) func refuses(_ text: String, _ error: YAMLError) {
        #expect(throws: error) { try parse(text) }
    }

    @Test func boundsTheDepth() throws {
        let deepest = String(repeating: "[", count: 31) + "x" + String(repeating: "]", count: 31)
        #expect(try parse(deepest) != nil)
        #expect(throws: YAMLError(message: "nested more than 32 deep", line: 1, column: 33)) {
            try parse(String(repeating: "[", count: 100_000))
        }
    }

    @Test func badUTF8HasAPlace() {
        #expect(throws: YAMLError(message: "invalid leading UTF-8 octet", line: 2, column: 2)) {
            try YAMLParser.parse(Array("a: 1\n".utf8) + [0x62, 0xff])
        }
    }

    /// Whatever the bytes, there is a tree or an error: random bytes, and random changes to a good file.
    @Test func neverCrashes() {
        var random = SeededGenerator(seed: 4)
        let good = Array(minimalYAML.utf8)
        let special = Array("{}[]:,-?&*!|>'\"%@`#\n\t ~\\".utf8)
        for _ in 0..<3_000 {
            let noise = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            var changed = good
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                changed[Int.random(in: 0..<changed.count, using: &random)] = special.randomElement(using: &random) ?? 0
            }
            for bytes in [noise, changed, noise.map { special[Int($0) % special.count] }] {
                _ = try? YAMLParser.parse(bytes)
                _ = try? ConfigurationLoader(environment: [:]).load(yaml: bytes, named: "random.yaml")
            }
        }
    }
}
