/// `text` on one line of bounded length: a message must not be able to fake another one in a log or drive a terminal.
func printable(_ text: String, maxScalars: Int) -> String {
    var result = ""
    for (count, scalar) in text.unicodeScalars.enumerated() {
        if count == maxScalars { return result + "…" }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
            result += "\\u{\(String(scalar.value, radix: 16))}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}
