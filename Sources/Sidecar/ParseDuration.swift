import ArgumentParser
import Gateway

/// A duration as the configuration writes it: `500ms`, `30s`.
@Sendable func parseDuration(_ text: String) throws -> Duration {
    do {
        return try DurationText.parse(text)
    } catch {
        throw ValidationError("it \(error)")
    }
}
