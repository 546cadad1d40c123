using System.Buffers;
using KeyEvt.Proxy.Barrier.Echo;

namespace KeyEvt.Proxy.Barrier;

/// <summary>
/// Where in the upstream's replies is the place of a request that the upstream never got?
/// <para>
/// Replies are not counted: Redis leaves some out and adds others. Instead unknown commands with random names go upstream in the
/// request's place, and the lines that come back mark it. Five forms, by what is sent:
/// <code>
/// in which words  [mark]
/// a place           [mark]
/// a question        [first] question [last]
/// a question after  [skip] [off] CLIENT REPLY ON [first] question [last]
/// CLIENT REPLY OFF/SKIP
/// a place after it  [skip] [off] CLIENT REPLY ON [first]
/// </code>
/// In the last two the first line that comes tells the mode: <c>skip</c>'s: replies are on. <c>off</c>'s: the one skipped reply was skip's. Neither:
/// they are off, and what comes first is the <c>+OK</c> of CLIENT REPLY ON with <c>first</c>'s line directly behind it.
/// </para>
/// <para>
/// Where the upstream answers a client without login in the same words whatever it asks, a guard (<see cref="LoginGuard"/>) follows the first mark of the other forms. Either the mark's line
/// comes, and then one answer to the guard; or the guard's line, and then the same refusal for each command behind it.
/// </para>
/// Made by the request pump, read by the reply pump; see <see cref="BarrierSlot"/> for the handing over.
/// </summary>
internal sealed class ReplyBarrier
{
    private static readonly byte[] RepliesOn = "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$2\r\nON\r\n"u8.ToArray();
    private static readonly byte[] RepliesOnAnswer = "+OK\r\n"u8.ToArray();

    /// <summary>In the forms after CLIENT REPLY, the index of first's line without the +OK in front of it.</summary>
    private const int BareFirst = 3;

    /// <summary>In the order they were sent.</summary>
    private readonly EchoMark[] _marks;

    /// <summary>Any of these lines may be the first to come; index i stands for mark i.</summary>
    private readonly ReadOnlyMemory<byte>[] _firstLines;

    private readonly TaskCompletionSource<BarrierEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The mark that comes next; -1 while none has come.</summary>
    private int _next = -1;

    /// <summary>What lies in front of the next mark; null while none has come.</summary>
    private AnswerReader? _between;

    /// <summary>Where the words are to be learnt; else null.</summary>
    private readonly EchoSearch? _search;

    /// <summary>Null: no guard is among the commands.</summary>
    private Guard? _guard;

    private ReplyBarrier(EchoMark[] marks, ReadOnlyMemory<byte>[] firstLines, ReadOnlyMemory<byte> commands)
    {
        _marks = marks;
        _firstLines = firstLines;
        Commands = commands;
    }

    private ReplyBarrier(byte[] name, ReadOnlyMemory<byte> commands)
        : this([], [], commands) => _search = new EchoSearch(name);

    /// <summary>What goes upstream, in one piece.</summary>
    public ReadOnlyMemory<byte> Commands { get; }

    /// <summary>The intercepted command; null for a place where the session ends.</summary>
    public Interception? Interception { get; private init; }

    /// <summary>At a place where the session ends: the client's last bytes.</summary>
    public ReadOnlyMemory<byte> LastWords { get; private init; }

    /// <summary>No mark has come yet: all bytes so far are the client's.</summary>
    public bool IsSearching => _between is null;

    /// <summary>Made by <see cref="ForWords"/>.</summary>
    public bool IsForWords => _search is not null;

    /// <summary>What <see cref="ForWords"/> has learnt; null until it is reached.</summary>
    public EchoShape? Learnt => _search?.Shape;

    /// <summary>Known once the first mark was found.</summary>
    public ReplyMode Mode { get; private set; }

    /// <summary>The client has not logged in, and the upstream said so to every command.</summary>
    public bool IsRefused { get; private set; }

    /// <summary>Valid once reached.</summary>
    public ProbeAnswer Answer => IsRefused ? new ProbeAnswer(Interception is { KeepsAll: true } ? FrameKind.Other : FrameKind.Error, _guard!.Refusal) : _between!.Answer;

    /// <summary>Completed by the reply pump.</summary>
    public Task<BarrierEnd> End => _end.Task;

    /// <summary>
    /// For a session whose upstream could not be asked in another way in which words it names an unknown command. An upstream that does not name it answers all the same, with one
    /// error for the one command: the client then has its reply, and replies and requests still belong together.
    /// </summary>
    /// <param name="guard">Of an upstream that has one; else null.</param>
    /// <param name="interception">What the client asked for: concluded at once when the client has not logged in. Null: it is due nothing here.</param>
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

    /// <summary>The place behind all replies so far, where the session ends.</summary>
    /// <param name="repliesMayBeOff">The client has used CLIENT REPLY before: in which mode it is decides whether its last bytes are due.</param>
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
            [skip.Line, off.Line, (byte[])[.. RepliesOnAnswer, .. mark.Line.Span], mark.Line],
            (byte[])[.. skip.Command.Span, .. off.Command.Span, .. RepliesOn, .. mark.Command.Span])
        { LastWords = lastWords };
    }

    /// <param name="question">A command whose answer decides what the client gets.</param>
    /// <param name="repliesMayBeOff">The client has used CLIENT REPLY before.</param>
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
        byte[] firstAfterOn = [.. RepliesOnAnswer, .. first.Line.Span];
        return new ReplyBarrier(
            [skip, off, first, last],
            [skip.Line, off.Line, firstAfterOn, first.Line],
            (byte[])[.. skip.Command.Span, .. off.Command.Span, .. RepliesOn, .. asking])
        { Interception = interception };
    }

    /// <summary>
    /// What of the upstream's next bytes is the client's and what is not? Called again with what is behind them, until it is reached or more must arrive.
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

        // Something came between the +OK and the line behind it, and so the +OK is with the client already.
        if (which == BareFirst) throw new PlaceLostException();
        Mode = (ReplyMode)which;
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
        _between = new AnswerReader(search.Shape!.LineOf(_guard.Last), 0, skips: 1);
        return step with { IsReached = false };
    }

    /// <summary>The guard's line has come, and so none of a mark will.</summary>
    private BarrierStep Refused(Guard guard, long at)
    {
        IsRefused = true;
        _next = _marks.Length - 1;
        _between = new AnswerReader((byte[])[.. Enumerable.Repeat(guard.Refusal.ToArray(), guard.RefusalsBehind).SelectMany(line => line)], 0);
        return new BarrierStep(at, guard.Line.Length, IsReached: guard.RefusalsBehind == 0);
    }

    /// <summary>Mark <paramref name="which"/> has come; what follows lies between it and the next.</summary>
    private BarrierStep Passed(int which, BarrierStep step)
    {
        _next = which + 1;
        if (_next == _marks.Length) return step with { IsReached = true };
        _between = new AnswerReader(_marks[_next].Line, Interception?.MaxAnswerBytes ?? 0, Interception?.KeepsAll ?? false, skips: _guard is null ? 0 : 1);
        return step;
    }

    /// <param name="Refusal">The upstream's answer to a command of a client without login.</param>
    /// <param name="Line">What comes when the mark in front of the guard was refused.</param>
    /// <param name="RefusalsBehind">So many commands stand behind the guard, and are refused too.</param>
    /// <param name="Last">Where the words are to be learnt: the name of the last mark.</param>
    private sealed record Guard(ReadOnlyMemory<byte> Refusal, ReadOnlyMemory<byte> Line, int RefusalsBehind, ReadOnlyMemory<byte> Last);
}
