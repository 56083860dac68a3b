internal import CheckEngine
internal import CheckModel
internal import ErrorCatalogue
internal import HTTPServer
internal import NetworkTypes
internal import SocketIO
internal import StrictJSON
import Synchronization

/// The results of a batch on their way from all workers to the task that sends them.
///
/// While the client keeps up, it holds only what has come since the last write. If results wait, no further check starts
/// (`lastStart`), so the memory of a batch is bounded.
final class BatchOutput: Sendable {
    private struct State {
        /// What can be sent.
        var ready = PendingBytes()
        /// Results that must wait for those before them, by their index.
        var held: [Int: [UInt8]] = [:]
        var heldBytes = 0
        /// The first result that is not in `ready` yet.
        var head = 0
        var summary = BatchSummary()
        var resultBytes = 0
        var isEnded = false
        var isAbandoned = false
        /// What `memory` was charged.
        var charge = 0
        var sender: UnsafeContinuation<Void, Never>?
        var run: BatchRun?
    }

    private let form: BatchForm
    private let count: Int
    private let memory: MemoryBudget
    private let begin = Clock.now()
    private let state = Mutex(State())
    /// `head`, while starts are limited by it.
    private let limit = Atomic<Int>(Int.max)

    /// The bytes that may be ready while checks start.
    private static let readyBytes = 256 << 10
    /// The bytes that results may take, those of checks in flight included.
    private static let mostBytes = 32 << 20
    private static let fewBytes = 24 << 10
    private static let chargeUnit = 64 << 10

    init(form: BatchForm, count: Int, memory: MemoryBudget) {
        self.form = form
        self.count = count
        self.memory = memory
    }

    deinit {
        memory.release(state.withLock { $0.charge }, of: .answers)
    }

    /// Begins the response.
    /// - Parameter run: what starts the checks, until `end`.
    func begin(of run: BatchRun?) {
        state.withLock { state in
            state.run = run
            if form == .document { state.ready.append("{\"results\":[".utf8) }
        }
    }

    // MARK: Results

    /// The checks that have a result.
    var finishedCount: Int { state.withLock { $0.summary.total } }

    /// See `BatchWork.lastStart`.
    var lastStart: Int { limit.load(ordering: .relaxed) }

    /// Adds a result.
    /// - Parameter encode: makes its bytes; not called if no one reads them.
    func add(_ index: Int, outcome: Outcome, isOK: Bool, _ encode: () -> [UInt8]) {
        let bytes = isAbandoned ? [] : encode()
        let (sender, run) = state.withLock { state in
            state.summary.note(outcome, isOK: isOK)
            guard !state.isAbandoned else { return (nil, nil) as Calls }
            state.resultBytes += bytes.count
            put(index, bytes, into: &state)
            let sender = state.ready.isEmpty ? nil : state.sender.take()
            return (sender, setLimit(&state))
        }
        sender?.resume()
        run?.resume()
    }

    /// What to resume outside of the lock.
    private typealias Calls = (sender: UnsafeContinuation<Void, Never>?, run: BatchRun?)

    private func put(_ index: Int, _ bytes: [UInt8], into state: inout State) {
        switch form {
        case .lines: state.ready.append(bytes)
        case .document:
            guard index == state.head else {
                state.held[index] = bytes
                state.heldBytes += bytes.count
                return
            }
            append(bytes, to: &state)
            while let next = state.held.removeValue(forKey: state.head) {
                state.heldBytes -= next.count
                append(next, to: &state)
            }
        }
    }

    private func append(_ bytes: [UInt8], to state: inout State) {
        if state.head > 0 { state.ready.append(CollectionOfOne(UInt8(ascii: ","))) }
        state.ready.append(bytes)
        state.head += 1
    }

    /// Limits the starts by the bytes that wait and those to expect, and charges what waits.
    /// - Returns: what to resume if more checks may start than before.
    private func setLimit(_ state: inout State) -> BatchRun? {
        let waiting = state.ready.count + state.heldBytes
        let isCovered = charge(waiting, &state)
        let usual = state.resultBytes / max(state.summary.total, 1)
        let expected = (state.run?.inFlightCount ?? 0) * usual
        let last: Int
        if state.ready.count > Self.readyBytes {
            last = -1
        } else if waiting + expected > (isCovered ? Self.mostBytes : Self.readyBytes) {
            // The next result of a document must come, whatever waits for it. Lines wait for no other.
            last = form == .document ? state.head : -1
        } else {
            last = .max
        }
        let old = limit.exchange(last, ordering: .relaxed)
        return last > old ? state.run : nil
    }

    /// - Returns: whether the budget has room for what waits.
    private func charge(_ bytes: Int, _ state: inout State) -> Bool {
        let wanted = bytes / Self.chargeUnit * Self.chargeUnit
        if wanted < state.charge {
            memory.release(state.charge - wanted, of: .answers)
            state.charge = wanted
        } else if wanted > state.charge {
            let isCovered = memory.chargeAnyway(wanted - state.charge, for: .answers)
            state.charge = wanted
            return isCovered
        }
        return true
    }

    // MARK: Ends

    /// Ends the response with the summary: all checks have their results.
    func end() {
        let sender = state.withLock { state in
            state.isEnded = true
            state.run = nil
            guard !state.isAbandoned else { return state.sender.take() }
            var writer = JSONWriter()
            writer.beginObject()
            state.summary.write(durationNanoseconds: Clock.now().since(begin), to: &writer)
            writer.endObject()
            let bytes = writer.finishLine()
            switch form {
            case .lines: state.ready.append(bytes)
            case .document:
                // The summary is the last member of the object that has begun.
                state.ready.append("],".utf8)
                state.ready.append(bytes.dropFirst())
            }
            return state.sender.take()
        }
        sender?.resume()
    }

    /// Drops what waits, and all further results: no one reads them.
    func abandon() {
        let sender = state.withLock { state in
            state.isAbandoned = true
            state.ready = PendingBytes()
            state.held = [:]
            state.heldBytes = 0
            _ = charge(0, &state)
            return state.sender.take()
        }
        sender?.resume()
    }

    var isAbandoned: Bool { state.withLock { $0.isAbandoned } }

    /// Whether the next write may wait for more results: there are only a few yet, and more will come.
    var isFilling: Bool {
        state.withLock { !$0.isEnded && !$0.isAbandoned && $0.ready.count < Self.fewBytes }
    }

    // MARK: Sending

    /// The next bytes of the response; nil at its end.
    func next() async -> [UInt8]? {
        while true {
            let (bytes, isOver, run) = take()
            run?.resume()
            if let bytes { return bytes }
            if isOver { return nil }
            await waitForBytes()
        }
    }

    private func take() -> ([UInt8]?, isOver: Bool, BatchRun?) {
        state.withLock { state in
            guard let bytes = state.ready.takeFirst() else { return (nil, state.isEnded || state.isAbandoned, nil) }
            return (bytes, false, setLimit(&state))
        }
    }

    /// SAFETY of the unsafe continuation: it is resumed once, by the caller that takes it out of the state under the lock.
    private func waitForBytes() async {
        await withUnsafeContinuation { continuation in
            let isOver = state.withLock { state in
                let isOver = !state.ready.isEmpty || state.isEnded || state.isAbandoned
                if !isOver { state.sender = continuation }
                return isOver
            }
            if isOver { continuation.resume() }
        }
    }
}
