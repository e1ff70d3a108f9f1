/// What libyaml's messages mean for somebody who wrote a configuration: it tells where it stopped, and not what is wrong there.
enum YAMLHint {
    /// What is probably wrong; nil: nothing is known.
    static func text(for error: YAMLError, in yaml: [UInt8]) -> String? {
        let lines = yaml.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        func line(_ number: Int) -> ArraySlice<UInt8> { lines.indices.contains(number - 1) ? lines[number - 1] : [] }
        // libyaml may stop a line after the one that it cannot read.
        for number in [error.line, error.line - 1] where hasTab(line(number)) {
            return "line \(number) is indented with a tab: YAML takes spaces"
        }
        let message = error.message
        func says(_ text: String) -> Bool { message.firstRange(ofText: text) != nil }
        if says("mapping values are not allowed") {
            return "the line is indented too far, or a value with ': ' in it needs quotes"
        }
        if says("could not find expected ':'") { return "a key needs a colon and a space after it" }
        if says("did not find expected key") || says("did not find expected '-' indicator") {
            return "the line does not begin where its neighbours do, or a quote or bracket above is not closed"
        }
        if says("found character that cannot start any token") {
            return "a value that starts with one of @ ` % needs quotes"
        }
        if says("unexpected end of stream") || says("did not find expected ',' or") {
            return "a quote or a bracket is not closed"
        }
        if says("found undefined tag") || says("did not find expected tag") {
            return "a value that starts with ! needs quotes"
        }
        if says("undefined alias") || says("did not find expected alphabetic") {
            return "a value that starts with * or & needs quotes"
        }
        return nil
    }

    /// Whether the white space that the line begins with holds a tab.
    private static func hasTab(_ line: ArraySlice<UInt8>) -> Bool {
        line.prefix { $0 == 0x20 || $0 == 0x09 }.contains(0x09)
    }
}
