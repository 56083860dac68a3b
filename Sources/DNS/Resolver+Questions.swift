internal import CLinux
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO

// Queries: each has one question, several servers, and any number of waiting lookups.
extension Resolver {
    /// Returns the query in progress, or makes a new one. `askNext` sends it.
    func join(
        _ name: String, type: RecordType, in group: ServerGroup, lookup: Int, until deadline: MonotonicTime
    ) -> (identifier: Int, isNew: Bool) {
        let key = Question.Key(name: name, type: type, group: ObjectIdentifier(group))
        let now = Clock.now()
        if let identifier = questions.identifier(of: key), var question = questions[identifier] {
            question.lookups.insert(lookup)
            let isHurried = deadline != .distantFuture && question.schedule.fit(into: deadline.since(now))
            questions[identifier] = question
            if isHurried { armTimer(of: question, from: now) }
            return (identifier, false)
        }
        let identifier = questions.takeIdentifier()
        let timer = reactor.assumeIsolated { reactor in
            reactor.makeTimer { [weak self] in self?.assumeIsolated { $0.askNext(identifier) } }
        }
        var schedule = TrySchedule(servers: group.channels.count, rounds: group.settings.rounds)
        if deadline != .distantFuture { _ = schedule.fit(into: deadline.since(now)) }
        var question = Question(key: key, group: group, schedule: schedule, timer: timer)
        question.lookups = [lookup]
        questions.add(question, as: identifier)
        return (identifier, true)
    }

    /// Queries the next server. Ends the query if there is no further server and no pending answer.
    func askNext(_ identifier: Int) {
        guard var question = questions[identifier] else { return }
        guard let server = question.schedule.next() else {
            questions[identifier] = question
            return endIfExhausted(identifier)
        }
        let channel = question.group.channels[server]
        let mayAsk = channel.inFlight < ServerChannel.largestInFlight && !channel.streams.contains(identifier)
        if mayAsk { question.pending += 1 }
        questions[identifier] = question
        armTimer(of: question, from: Clock.now())
        if mayAsk { send(question.key, as: identifier, to: server, over: channel) }
    }

    private func send(_ key: Question.Key, as identifier: Int, to server: Int, over channel: ServerChannel) {
        lastTry += 1
        let context = TryContext(
            resolver: self, number: lastTry, channel: channel.identifier, question: identifier, server: server,
            name: key.name, type: key.type)
        channel.inFlight += 1
        if questions[identifier]?.group.settings.usesTCP == true {
            askOverTCP(context, through: channel)
        } else {
            channel.send(context)
            armTimer(of: channel)
            if let shortage = watchAgain(channel) {
                fail(identifier, server: server, because: .shortage(shortage))
            }
        }
    }

    /// Called when an answer on a channel could not be received. If none can be received later either, then that is the
    /// failure of its questions, not silence.
    func noteShortage(_ error: Errno, ofChannel identifier: Int) {
        guard let channel = groups.channel(identifier) else { return }
        for waiting in channel.waiting.values {
            questions[waiting.question]?.schedule.note(shortage: .shortage(error))
        }
    }

    private func armTimer(of question: Question, from now: MonotonicTime) {
        let next = now.advanced(byNanoseconds: question.schedule.patience)
        let timer = question.timer
        reactor.assumeIsolated { $0.arm(timer, at: next) }
    }

    /// Handles the end of a try over UDP, from c-ares.
    /// - Parameter errno: The errno after a failed system call in c-ares.
    func ended(_ context: TryContext, with verdict: AnswerVerdict, wasAnswered: Bool, errno: Errno) {
        guard let channel = groups.channel(context.channel) else { return }
        let wasWaiting = channel.waiting.removeValue(forKey: context.number) != nil
        if wasAnswered { channel.hasAnswered = true }
        switch verdict {
        case .truncated:
            return askOverTCP(context, through: channel)
        case .result(.failure(.unreachable)) where channel.isSending && errno.isShortageHere:
            // Nothing was sent, which says nothing about the server.
            end(context, at: channel, with: .failure(.shortage(errno)))
        case .result(.failure(.unreachable)):
            let others = channel.waiting
            channel.inFlight -= 1
            questions[context.question]?.pending -= 1
            guard wasWaiting else { return }
            // The server is unreachable for all tries: the kernel reports it to one sender, and c-ares may let the
            // others wait for answers that cannot come.
            channel.waiting = [:]
            let isSurprise = channel.hasAnswered && !channel.isSending
            channel.hasAnswered = false
            for question in Set(others.values.map(\.question)).union([context.question]) {
                fail(question, server: context.server, because: .unreachable, isSurprise: isSurprise)
            }
        case .result(let result):
            end(context, at: channel, with: result)
        }
    }

    /// Handles the end of a try over TCP.
    func endedOverTCP(_ context: TryContext, with result: TryResult) {
        guard let channel = groups.channel(context.channel) else { return }
        end(context, at: channel, with: result)
    }

    private func end(_ context: TryContext, at channel: ServerChannel, with result: TryResult) {
        channel.inFlight -= 1
        questions[context.question]?.pending -= 1
        switch result {
        case .success, .failure(.nxdomain), .failure(.noData):
            end(context.question, with: result)
        case .failure(let failure):
            fail(context.question, server: context.server, because: failure)
        }
    }

    /// - Parameter isSurprise: Whether the server answered shortly before, so that it deserves another try: it may be
    ///   restarting, or the message that called it unreachable was about something else.
    private func fail(_ identifier: Int, server: Int, because failure: ResolveFailure, isSurprise: Bool = false) {
        guard let next = questions[identifier]?.schedule.failed(server, with: failure, isSurprise: isSurprise) else {
            return
        }
        switch next {
        case .askNow: askNext(identifier)
        case .askSoon: if let question = questions[identifier] { armTimer(of: question, from: Clock.now()) }
        case .wait: endIfExhausted(identifier)
        }
    }

    private func endIfExhausted(_ identifier: Int) {
        guard let question = questions[identifier] else { return }
        let nobodyIsLeft = question.schedule.isExhausted && question.pending == 0
        guard nobodyIsLeft || question.schedule.isOver else { return }
        end(identifier, with: .failure(question.schedule.failure))
    }

    private func end(_ identifier: Int, with result: TryResult) {
        guard let question = forget(identifier) else { return }
        for lookup in question.lookups { deliver(result, of: question.key.type, to: lookup) }
    }

    /// Removes a lookup from a query that it no longer waits for.
    func leave(_ identifier: Int, lookup: Int) {
        questions[identifier]?.lookups.remove(lookup)
        if questions[identifier]?.lookups.isEmpty == true { _ = forget(identifier) }
    }

    private func forget(_ identifier: Int) -> Question? {
        guard let question = questions.remove(identifier) else { return nil }
        let timer = question.timer
        reactor.assumeIsolated { $0.remove(timer) }
        // Queries that wait for a connection must not wait for an unwanted answer.
        for channel in question.group.channels { channel.streams.task(asking: identifier)?.cancel() }
        return question
    }
}

extension Errno {
    /// Whether the prober is out of memory, buffers or descriptors.
    var isShortageHere: Bool {
        [EAGAIN, ENOBUFS, ENOMEM, EMFILE, ENFILE, ENOSPC].contains(rawValue)
    }
}
