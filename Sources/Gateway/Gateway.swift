/// Placeholder: the composition root replaces this file.
public enum Gateway {
    /// Serves until told to stop, and returns the exit code of the process.
    public static func run(_ configuration: Configuration) throws -> Int32 { 0 }
}
