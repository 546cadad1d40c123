using System.Buffers;
using KeyEvt.Proxy.Barrier.Echo;

namespace KeyEvt.Proxy.Barrier;

/// <summary>
/// Where in the upstream's replies is the place of a request that the upstream never got?
/// <para>
/// Replies are not counted, as Redis leaves some out and adds others. Instead, unknown commands with random names (marks) go upstream in the request's place,
/// and the error lines that come back mark the place. A barrier has one of five forms, by its purpose. The right column is what it sends:
/// <code>
/// learn the words                           [mark]
/// find a place                              [mark]
/// ask a question                            [first] question [last]
/// ask after CLIENT REPLY OFF or SKIP        [skip] [off] CLIENT REPLY ON [first] question [last]
/// find a place after CLIENT REPLY OFF/SKIP  [skip] [off] CLIENT REPLY ON [first]
/// </code>
/// In the last two forms, the first line that comes tells the client's mode. The line of <c>skip</c>: replies are on. The line of <c>off</c>: one reply was to
/// be skipped, and it was that of <c>skip</c>. Neither: replies are off, and what comes first is the <c>+OK</c> of CLIENT REPLY ON with the line of
/// <c>first</c> directly behind it.
/// </para>
/// <para>
/// Some upstreams answer every command of a client without a login in the same words. There a guard (<see cref="LoginGuard"/>) follows the first mark, except
/// in the last two forms. Either the line of the mark comes, and then one answer to the guard. Or the guard's line comes, and then the same refusal for each
/// command behind the guard.
/// </para>
/// Made by the request pump, then read and changed by the reply pump alone. <see cref="BarrierSlot"/> hands it over.
/// </summary>
internal sealed class ReplyBarrier
{
    /// <summary>In the forms after CLIENT REPLY: the index of the line of <c>first</c> without the +OK in front of it.</summary>
    private const int BareFirst = 3;

    /// <summary>In the order in which they were sent.</summary>
    private readonly EchoMark[] _marks;

    /// <summary>Any of these lines may be the first that comes. Index i stands for mark i.</summary>
    private readonly ReadOnlyMemory<byte>[] _firstLines;

    private readonly TaskCompletionSource<BarrierEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Index of the mark that comes next; -1 while none has come.</summary>
    private int _next = -1;

    /// <summary>Reads what lies in front of the next mark; null while no mark has come.</summary>
    private AnswerReader? _between;

    /// <summary>Set only if the words are to be learnt.</summary>
    private readonly EchoSearch? _search;

    /// <summary>Null: the commands contain no guard.</summary>
    private Guard? _guard;

    private ReplyBarrier(EchoMark[] marks, ReadOnlyMemory<byte>[] firstLines, ReadOnlyMemory<byte> commands)
    {
        _marks = marks;
        _firstLines = firstLines;
        Commands = commands;
    }

    private ReplyBarrier(byte[] name, ReadOnlyMemory<byte> commands)
        : this([], [], commands) => _search = new EchoSearch(name);

    /// <summary>The bytes that go upstream, in one piece.</summary>
    public ReadOnlyMemory<byte> Commands { get; }

    /// <summary>The intercepted request; null for a place where the session ends.</summary>
    public Interception? Interception { get; private init; }

    /// <summary>For a place where the session ends: the client's last bytes.</summary>
    public ReadOnlyMemory<byte> LastWords { get; private init; }

    /// <summary>No mark has come yet, so all bytes so far are the client's.</summary>
    public bool IsSearching => _between is null;

    /// <summary>Made by <see cref="ForWords"/>.</summary>
    public bool IsForWords => _search is not null;

    /// <summary>The words that <see cref="ForWords"/> has learnt; null until they are found.</summary>
    public EchoShape? Learnt => _search?.Shape;

    /// <summary>The client's mode. Known once the first mark was found.</summary>
    public ClientReplyMode Mode { get; private set; }

    /// <summary>The client has not logged in, and the upstream said so to every command.</summary>
    public bool IsRefused { get; private set; }

    /// <summary>Valid once the barrier is reached.</summary>
    public ProbeAnswer Answer => IsRefused ? new ProbeAnswer(Interception is { KeepsAll: true } ? FrameKind.Other : FrameKind.Error, _guard!.Refusal) : _between!.Answer;

    /// <summary>Completed by the reply pump, awaited by the request pump.</summary>
    public Task<BarrierEnd> End => _end.Task;

    /// <summary>
    /// Learns the words on the client's own connection, for a session whose upstream could not be asked in another way. If the upstream does not name the
    /// command, the client still gets one error for the one command it sent, and replies and requests still belong together.
    /// </summary>
    /// <param name="guard">The upstream's guard, if it needs one; else null.</param>
    /// <param name="interception">
    /// The client's request. It is answered at once if the client has not logged in. Null: no answer is due to the client here.
    /// </param>
    public static ReplyBarrier ForWords(LoginGuard? guard, Interception? interception)
    {
        var name = EchoShape.NewName();
        if (guard is null) return new ReplyBarrier(name, EchoShape.CommandOf(name));

        var mark = guard.NewMark();
        var last = EchoShape.NewName();
        return new ReplyBarrier(name, (byte[])[.. EchoShape.CommandOf(name).Span, .. mark.Command.Span, .. EchoShape.CommandOf(last).Span])
        {
            Interception = interception,
            _guard = new Guard(guard.Refusal, mark.Line, RefusalsBehind: 1, last),
        };
    }

    /// <summary>Marks the place behind all replies so far, where the session ends.</summary>
    /// <param name="repliesMayBeOff">The client has used CLIENT REPLY. Its mode then decides whether it is due its last bytes.</param>
    public static ReplyBarrier ForEnd(EchoShape shape, LoginGuard? guard, ReadOnlyMemory<byte> lastWords, bool repliesMayBeOff)
    {
        var mark = shape.NewMark();
        if (!repliesMayBeOff)
        {
            if (guard?.NewMark() is not { } guarding) return new ReplyBarrier([mark], [mark.Line], mark.Command) { LastWords = lastWords };
            return new ReplyBarrier([mark], [mark.Line, guarding.Line], (byte[])[.. mark.Command.Span, .. guarding.Command.Span])
            {
                LastWords = lastWords,
                _guard = new Guard(guard.Refusal, guarding.Line, RefusalsBehind: 0, default),
            };
        }

        var skip = shape.NewMark();
        var off = shape.NewMark();
        return new ReplyBarrier(
            [skip, off, mark],
            [skip.Line, off.Line, (byte[])[.. ClientReplyCommands.OnAnswer, .. mark.Line.Span], mark.Line],
            (byte[])[.. skip.Command.Span, .. off.Command.Span, .. ClientReplyCommands.On, .. mark.Command.Span])
        { LastWords = lastWords };
    }

    /// <param name="question">The command whose answer decides what the client gets.</param>
    /// <param name="repliesMayBeOff">The client has used CLIENT REPLY.</param>
    public static ReplyBarrier ForQuestion(EchoShape shape, LoginGuard? guard, ReadOnlyMemory<byte> question, Interception interception, bool repliesMayBeOff)
    {
        var first = shape.NewMark();
        var last = shape.NewMark();
        if (!repliesMayBeOff && guard?.NewMark() is { } guarding)
        {
            return new ReplyBarrier(
                [first, last], [first.Line, guarding.Line], (byte[])[.. first.Command.Span, .. guarding.Command.Span, .. question.Span, .. last.Command.Span])
            {
                Interception = interception,
                _guard = new Guard(guard.Refusal, guarding.Line, RefusalsBehind: 2, default),
            };
        }

        byte[] asking = [.. first.Command.Span, .. question.Span, .. last.Command.Span];
        if (!repliesMayBeOff) return new ReplyBarrier([first, last], [first.Line], asking) { Interception = interception };

        var skip = shape.NewMark();
        var off = shape.NewMark();
        byte[] firstAfterOn = [.. ClientReplyCommands.OnAnswer, .. first.Line.Span];
        return new ReplyBarrier(
            [skip, off, first, last],
            [skip.Line, off.Line, firstAfterOn, first.Line],
            (byte[])[.. skip.Command.Span, .. off.Command.Span, .. ClientReplyCommands.On, .. asking])
        { Interception = interception };
    }

    /// <summary>
    /// Says which of the upstream's next bytes are the client's and which are not. Called again with the bytes behind those, until the barrier is reached or
    /// more bytes must arrive.
    /// </summary>
    /// <exception cref="PlaceLostException">The +OK of CLIENT REPLY ON did not stand directly in front of the next line.</exception>
    public BarrierStep Read(in ReadOnlySequence<byte> replies)
    {
        if (_between is null) return _search is null ? FindFirst(replies) : FindWords(_search, replies);
        var step = _between.Read(replies);
        if (!step.IsReached) return step;
        return Passed(_next, step with { IsReached = false });
    }

    public void Complete(BarrierEnd end) => _end.TrySetResult(end);

    private BarrierStep FindFirst(in ReadOnlySequence<byte> replies)
    {
        var at = MarkSearch.Find(replies, _firstLines, out var which, out var clear);
        if (at < 0) return BarrierStep.Client(clear);

        if (which == 1 && _guard is not null) return Refused(_guard, at);

        // Something came between the +OK and the line behind it, so the +OK has already gone to the client.
        if (which == BareFirst) throw new PlaceLostException();
        Mode = (ClientReplyMode)which;
        return Passed(which, new BarrierStep(at, _firstLines[which].Length, false));
    }

    private BarrierStep FindWords(EchoSearch search, ReadOnlySequence<byte> replies)
    {
        if (_guard is { } guard)
        {
            var at = MarkSearch.Find(replies, [guard.Line], out _, out var clear);
            if (at >= 0) return Refused(guard, at);
            replies = replies.Slice(0, clear);
        }

        var step = search.Read(replies);
        if (!step.IsReached || _guard is null) return step;
        _next = _marks.Length - 1;
        _between = new AnswerReader(search.Shape!.LineOf(_guard.Last), maxKeptBytes: 0);
        return step with { IsReached = false };
    }

    /// <summary>The guard's line has come, so the line of no mark will come.</summary>
    private BarrierStep Refused(Guard guard, long at)
    {
        IsRefused = true;
        _next = _marks.Length - 1;
        _between = new AnswerReader((byte[])[.. Enumerable.Repeat(guard.Refusal.ToArray(), guard.RefusalsBehind).SelectMany(line => line)], 0);
        return new BarrierStep(at, guard.Line.Length, IsReached: guard.RefusalsBehind == 0);
    }

    /// <summary>The line of mark <paramref name="which"/> has come. What follows lies between it and the next mark.</summary>
    private BarrierStep Passed(int which, BarrierStep step)
    {
        _next = which + 1;
        if (_next == _marks.Length) return step with { IsReached = true };
        _between = new AnswerReader(_marks[_next].Line, Interception?.MaxAnswerBytes ?? 0, Interception?.KeepsAll ?? false, skips: _guard is null ? 0 : 1);
        return step;
    }

    /// <param name="Refusal">The upstream's answer to each command of a client that has not logged in.</param>
    /// <param name="Line">The line that comes when the mark in front of the guard was refused.</param>
    /// <param name="RefusalsBehind">How many commands stand behind the guard. They are refused too.</param>
    /// <param name="Last">If the words are to be learnt: the name of the last mark. Else empty.</param>
    private sealed record Guard(ReadOnlyMemory<byte> Refusal, ReadOnlyMemory<byte> Line, int RefusalsBehind, ReadOnlyMemory<byte> Last);
}
