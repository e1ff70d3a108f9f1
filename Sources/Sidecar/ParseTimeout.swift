import ArgumentParser
import Gateway

/// How long to wait, as the configuration writes it: `500ms`, `30s`.
@Sendable func parseTimeout(_ text: String) throws -> Duration {
    do {
        return try DurationText.parse(text)
    } catch {
        throw ValidationError("it \(error)")
    }
}
