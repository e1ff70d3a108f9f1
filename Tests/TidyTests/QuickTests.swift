import Foundation
import Testing

/// `make quick` names suites. A filter that matches nothing would be passed by in silence.
@Suite struct QuickTests {
    @Test(arguments: [("QUICK_SKIPS", "Tests/GatewayTests/", ""), ("QUICK_SUITES", "Tests/EndToEndTests/", "Tests")])
    func namesSuitesThatAreThere(_ variable: String, _ folder: String, _ ending: String) throws {
        let makefile = try String(contentsOf: SourceFile.root.appending(path: "Makefile"), encoding: .utf8)
        let line = makefile.components(separatedBy: "\n").first { $0.hasPrefix("\(variable) := ") }
        let names = try #require(line).dropFirst("\(variable) := ".count).split(separator: "|").map { "\($0)\(ending)" }
        let code = try SourceFile.all.get().filter { $0.path.hasPrefix(folder) }.map { $0.code.joined(separator: "\n") }
        #expect(names.count > 1)
        for name in names {
            let isThere = code.contains { $0.range(of: "struct \(name)\\b", options: .regularExpression) != nil }
            #expect(isThere, "no suite is called \(name)")
        }
    }
}
