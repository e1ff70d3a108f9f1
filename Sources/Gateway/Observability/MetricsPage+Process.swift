import Synchronization

/// What is known of the process that would take a shard too long to find out.
final class ProcessSample: Sendable {
    /// When the process began, in nanoseconds since 1970-01-01 UTC.
    let start = Clock.wall()
    private let openDescriptors = Atomic<Int>(FileDescriptors.openCount())
    private let isAsked = Atomic<Bool>(false)

    /// How many descriptors were open a few seconds ago.
    var openCount: Int { openDescriptors.load(ordering: .relaxed) }

    /// Somebody looks at the page: what is sampled is worth having. Any thread.
    func ask() { isAsked.store(true, ordering: .relaxed) }

    /// Takes the sample, if somebody has looked since the last. The main thread, every few seconds.
    func refresh() {
        guard isAsked.exchange(false, ordering: .relaxed) else { return }
        openDescriptors.store(FileDescriptors.openCount(), ordering: .relaxed)
    }
}

// The names that all Prometheus clients have (https://prometheus.io/docs/instrumenting/writing_clientlibs, process metrics).
extension MetricsPage {
    func writeProcess(to body: ByteBuffer) {
        body.appendHead("ameron_build_info", "gauge", "1, with what was built of what.")
        body.appendRow("ameron_build_info", buildInfo, 1)
        let usage = ProcessUsage.now()
        body.appendHead("process_cpu_seconds_total", "counter", "Processor time, user and system.")
        body.appendRow("process_cpu_seconds_total", nanoseconds: usage.processorNanoseconds)
        body.appendHead("process_resident_memory_bytes", "gauge", "Memory in use.")
        body.appendRow("process_resident_memory_bytes", usage.residentBytes)
        body.appendHead("process_virtual_memory_bytes", "gauge", "Address space in use.")
        body.appendRow("process_virtual_memory_bytes", usage.virtualBytes)
        body.appendHead("process_open_fds", "gauge", "Open file descriptors, some seconds ago.")
        body.appendRow("process_open_fds", process.openCount)
        body.appendHead("process_max_fds", "gauge", "The most file descriptors that may be open.")
        body.appendRow("process_max_fds", FileDescriptors.limit())
        body.appendHead("process_start_time_seconds", "gauge", "When the process began, since 1970-01-01 UTC.")
        body.appendRow("process_start_time_seconds", nanoseconds: Int(process.start))
    }
}
