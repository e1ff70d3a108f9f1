/// The Model Services of one shard that are called in one way, all on the same sockets: makes their adapters, and what asks for
/// their health. One type for each way; `ShardBlueprint` makes those that `ServiceURL.Way` lists.
protocol ModelServices: AnyObject {
    /// The adapter of a model whose URL is called in this way.
    ///
    /// - Parameter model: its place in the configuration.
    func adapter(of model: Int) -> any ModelServiceAdapter
    /// Tells whether two models stand behind the same server.
    func server(of model: Configuration.Model) -> String
    /// The URL of a model for the log, without anything secret.
    func shownURL(of model: Configuration.Model) -> String

    /// Asks for the health of a model at its own URL.
    ///
    /// - Parameter model: its place in the configuration.
    func makeProbe(of model: Configuration.Model, at index: Int) -> any HealthProbe
    /// The same at the URL that the configuration states for it, which is to be called in this way.
    func makeProbe(of model: Configuration.Model, stated url: String) -> any HealthProbe

    /// Drives the calls: answers come in, deadlines pass. Has the first turn.
    var answers: Shard.Source { get }
    /// Starts the calls that were begun in a turn. Has the last one.
    var starts: Shard.Source { get }
}
