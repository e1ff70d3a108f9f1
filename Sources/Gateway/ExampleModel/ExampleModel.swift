/// Placeholder: the example Model Service replaces this file.
public enum ExampleModel {
    /// Serves until told to stop, and returns the exit code of the process.
    public static func run(_ options: ExampleModelOptions) throws -> Int32 { 0 }
}
