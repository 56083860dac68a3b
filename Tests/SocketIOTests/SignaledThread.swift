import CLinux
import Foundation
import SocketIO
import Synchronization

/// Runs a blocking call on a separate thread that repeatedly receives SIGUSR2. The handler is installed without
/// SA_RESTART, so the signals interrupt the call. Other threads receive none of them.
enum SignaledThread {
    private struct State<Outcome: Sendable>: Sendable {
        var identity: pthread_t?
        var outcome: Outcome?
    }

    private final class Shared<Outcome: Sendable>: Sendable {
        let state = Mutex(State<Outcome>())
    }

    /// - Parameter betweenSignals: called with the number of signals so far.
    static func run<Outcome: Sendable>(
        betweenSignals: (Int) throws -> Void = { _ in }, _ body: @escaping @Sendable () -> Outcome
    ) throws -> Outcome {
        install()
        let shared = Shared<Outcome>()
        Thread.detachNewThread {
            // A thread inherits the signal mask of its creator, and pool threads block every signal.
            var signals = sigset_t()
            sigaddset(&signals, SIGUSR2)
            pthread_sigmask(SIG_UNBLOCK, &signals, nil)
            shared.state.withLock { $0.identity = pthread_self() }
            let outcome = body()
            shared.state.withLock { $0.outcome = outcome }
        }
        var count = 0
        while true {
            let outcome = shared.state.withLock { state in
                // The thread takes this lock before it ends, so its identity is valid here.
                if state.outcome == nil, let identity = state.identity {
                    pthread_kill(identity, SIGUSR2)
                    count += 1
                }
                return state.outcome
            }
            if let outcome { return outcome }
            usleep(2000)
            try betweenSignals(count)
        }
    }

    private static func install() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in }
        action.sa_flags = 0
        sigaction(SIGUSR2, &action, nil)
    }
}

/// A socket that two threads use.
final class SharedSocket: Sendable {
    let socket: Socket

    init(_ socket: consuming Socket) {
        self.socket = socket
    }
}
