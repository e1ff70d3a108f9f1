/// Everything that can be set, with its default; values and keys of each section stand in its own file. Sizes are in bytes.
public struct Configuration: Sendable, Equatable {
    public var server = Server()
    public var models: [Model] = []
    public var reporting = Reporting()
    public var providers = Providers()
    public var ui = UI()
    public var log = Log()

    public init() {}
}
