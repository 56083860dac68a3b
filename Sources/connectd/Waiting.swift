/// Waits on the main thread for work that other threads do.
enum Waiting {
    static func result<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) -> Value {
        let queue = BlockingQueue<Value>()
        Task { queue.append(await work()) }
        return queue.next()
    }
}
