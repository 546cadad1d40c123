using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Transport;
using KeyEvt.Resp;
using KeyEvt.Resp.Replies;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>
/// What is said on one connection to another master?
/// <code>
/// AUTH ...                                 where there is a password; nothing else before its answer, as some servers leave that out in a pipeline
/// PING                                     until it is not answered by -LOADING: a node that loads its AOF publishes what it replays, and lets in who subscribes meanwhile
/// (P)SUBSCRIBE / (P)UNSUBSCRIBE name ...   what has changed since the last time
/// PING version                             its answer comes behind those of the subscriptions: they are in force
/// </code>
/// One loop reads and writes. Whoever wants something of it (other names, a tick) wakes its read, and it looks for itself. A node that says nothing may be busy: the connection is
/// given up when the node answers another one (<see cref="MasterWitness"/>) and still says nothing on this one, or after some minutes.
/// </summary>
/// <param name="answered">Told the version of the names that is in force.</param>
internal sealed class MasterConversation(IConnection connection, TopologyNode node, FanInStream stream, FanInHub services, Action<long> answered)
{
    /// <summary>How often the node is asked whether it is there; of one that has not answered for so long, another connection is asked.</summary>
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(5);

    /// <summary>Once the node has answered another connection: how long this one has to bring something.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(500);

    /// <summary>One that answers nobody for so long is given up.</summary>
    private static readonly TimeSpan SilenceLimit = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan LoadingInterval = TimeSpan.FromMilliseconds(50);

    private readonly PipeReader _input = connection.Input;
    private readonly PipeWriter _output = connection.Output;
    private RespReplyFramer _framer;

    /// <summary>Bytes in front of the buffer's end that the framer has seen: a frame's beginning.</summary>
    private long _framed;
    private bool _isIn;

    /// <summary>It has loaded its data, as far as it says.</summary>
    private bool _isLoaded;

    /// <summary>It said that it is loading; asked again when the wait is over.</summary>
    private bool _isLoading;
    private volatile bool _isWaitOver;
    private FanInNameSet _asked = FanInNameSet.None with { Version = -1 };
    private volatile bool _tick;

    /// <summary>A PING or the login is out.</summary>
    private bool _isAsked;

    /// <summary>For so many ticks, and nothing has come since.</summary>
    private int _ticksLate;

    /// <summary>The node has answered another connection, and nothing has come on this one for the grace.</summary>
    private volatile bool _isWitnessed;
    private Task _witness = Task.CompletedTask;

    /// <summary>A subscription was refused: asked again at each tick, as rights may have been given.</summary>
    private bool _isRefused;

    public void Wake() => _input.CancelPendingRead();

    /// <summary>Until the connection is lost.</summary>
    /// <exception cref="IOException">It is.</exception>
    /// <exception cref="RespProtocolException">What comes is no RESP.</exception>
    public async Task RunAsync()
    {
        await using var ticks = services.Time.CreateTimer(_ => Tick(), null, AskEvery, AskEvery);
        await using var waits = services.Time.CreateTimer(_ => EndWait(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        using var end = new CancellationTokenSource();
        try
        {
            await FollowAsync(waits, end.Token).ConfigureAwait(false);
        }
        finally
        {
            await end.CancelAsync().ConfigureAwait(false);
            await _witness.ConfigureAwait(false);
        }
    }

    private async Task FollowAsync(ITimer waits, CancellationToken end)
    {
        LogIn();
        while (true)
        {
            if (_tick) Ask(end);
            if (_isLoaded) Subscribe();
            else if (_isIn) AskWhetherLoaded(waits);
            if (!await _output.TryFlushAsync().ConfigureAwait(false)) throw new IOException("the node takes no more");
            var read = await _input.ReadAsync(CancellationToken.None).ConfigureAwait(false); // woken by who ends it
            if (!read.Buffer.IsEmpty && read.Buffer.Length > _framed) _ticksLate = 0; // whatever it is, something has come
            else if (_isWitnessed && _ticksLate > 0) throw new IOException("it answers others, and nothing comes on this connection");
            _isWitnessed = false;
            var rest = ReadFrames(read.Buffer);
            _input.AdvanceTo(rest, read.Buffer.End);
            stream.Inbox.Signal();
            if (read.IsCompleted) throw new IOException("the node has closed the connection");
        }
    }

    private void Tick()
    {
        _tick = true;
        Wake();
    }

    private void EndWait()
    {
        _isWaitOver = true;
        Wake();
    }

    private void LogIn()
    {
        var (user, password) = (node.Address.User, node.Address.Password?.ForLogin());
        _isIn = user is null && password is null;
        if (_isIn) return;
        if (user is null) Send("AUTH"u8, Encoding.UTF8.GetBytes(password!));
        else RespWriter.WriteCommand(_output, "AUTH"u8, Encoding.UTF8.GetBytes(user), Encoding.UTF8.GetBytes(password ?? ""));
        _isAsked = true;
    }

    private void Ask(CancellationToken end)
    {
        _tick = false;
        if (_isAsked)
        {
            if (++_ticksLate * AskEvery >= SilenceLimit) throw new IOException($"no answer for {SilenceLimit.TotalMinutes} minutes");
            if (_witness.IsCompleted) _witness = FindWitnessAsync(end);
            return;
        }

        if (!_isLoaded) return;
        if (_isRefused) _asked = FanInNameSet.None with { Version = -1 };
        else Ping();
    }

    /// <summary>Ends within the connect timeout and the grace, and with the conversation.</summary>
    private async Task FindWitnessAsync(CancellationToken end)
    {
        try
        {
            if (!await services.Witness.AnswersAsync(TransportAddress.Of(node.Address)).WaitAsync(end).ConfigureAwait(false)) return;
            await Task.Delay(Grace, services.Time, end).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        _isWitnessed = true;
        Wake();
    }

    /// <summary>At once, and some milliseconds after each answer that it is loading.</summary>
    private void AskWhetherLoaded(ITimer waits)
    {
        if (_isAsked) return;
        if (_isLoading && !_isWaitOver)
        {
            waits.Change(LoadingInterval, Timeout.InfiniteTimeSpan);
            return;
        }

        (_isLoading, _isWaitOver, _isAsked) = (false, false, true);
        RespWriter.WriteCommand(_output, "PING"u8);
    }

    /// <summary>What has changed in the names since they were looked at last.</summary>
    private void Subscribe()
    {
        var (now, before) = (stream.Names, _asked);
        if (now.Version == before.Version) return;
        _asked = now;
        _isRefused = false;
        foreach (var (key, name) in now.ByKey)
        {
            if (!before.ByKey.ContainsKey(key)) Send(name.IsPattern ? "PSUBSCRIBE"u8 : "SUBSCRIBE"u8, name.Name.Span);
        }

        foreach (var (key, name) in before.ByKey)
        {
            if (!now.ByKey.ContainsKey(key)) Send(name.IsPattern ? "PUNSUBSCRIBE"u8 : "UNSUBSCRIBE"u8, name.Name.Span);
        }

        Ping();
    }

    private void Ping()
    {
        _isAsked = true;
        Send("PING"u8, Encoding.ASCII.GetBytes(_asked.Version.ToString(CultureInfo.InvariantCulture)));
    }

    private void Send(ReadOnlySpan<byte> name, ReadOnlySpan<byte> argument) => RespWriter.WriteCommand(_output, name, argument);

    /// <summary>Takes the whole frames; returns where one begins that is not all there.</summary>
    private SequencePosition ReadFrames(in ReadOnlySequence<byte> buffer)
    {
        var start = buffer.Start;
        var unframed = buffer.Slice(_framed);
        while (!unframed.IsEmpty)
        {
            var span = unframed.FirstSpan;
            var ended = _framer.TryAdvance(span, out var consumed);
            unframed = unframed.Slice(consumed);
            if (!ended) continue;
            TakeFrame(buffer.Slice(start, unframed.Start));
            start = unframed.Start;
            _framer = default;
        }

        _framed = buffer.Slice(start).Length;
        if (_framed > NotificationInbox.MaxBytes) throw new IOException($"a message is larger than {NotificationInbox.MaxBytes} bytes");
        return start;
    }

    private void TakeFrame(in ReadOnlySequence<byte> sequence)
    {
        var frame = sequence.IsSingleSegment ? sequence.FirstSpan : sequence.ToArray();
        if (_isIn && !_isLoaded)
        {
            // An error of any other kind, as where PING is refused: it cannot be known.
            _isLoading = frame[0] == '-' && Encoding.ASCII.GetString(new RespReplyReader(frame).ReadError()).StartsWith("LOADING", StringComparison.Ordinal);
            _isLoaded = !_isLoading;
            IsThere();
            return;
        }

        if (frame[0] == '-')
        {
            TakeError(Encoding.ASCII.GetString(new RespReplyReader(frame).ReadError()).Split(' ')[0]);
            return;
        }

        if (!_isIn)
        {
            _isIn = true; // +OK
            IsThere();
            return;
        }

        var said = PubSubFrame.Read(frame);
        if (said.IsMessage) stream.Deliver(said, frame);
        else if (said.Kind == PubSubKind.Pong) Answered(said.Name);
        else if (frame[0] == '$') Answered(new RespReplyReader(frame).ReadBulk()); // PING where not one subscription was let in
    }

    /// <param name="code">The first word only: an error may repeat its command's arguments, a password or a key among them.</param>
    private void TakeError(string code)
    {
        var isPassing = code is "LOADING" or "BUSY" or "MASTERDOWN";
        if (!isPassing) services.WarnOfRefusal(TransportAddress.Of(node.Address), _isIn ? code : $"{code} at the login");
        if (!_isIn)
        {
            node.Address.Password?.Refused();
            throw new IOException($"the login is refused: {code}");
        }

        _isRefused = true;
        if (isPassing) IsThere(); // also PING is answered so
    }

    private void Answered(ReadOnlySpan<byte> version)
    {
        IsThere();
        if (long.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var inForce)) answered(inForce);
    }

    /// <summary>The node has answered.</summary>
    private void IsThere() => (_isAsked, _ticksLate) = (false, 0);
}
