using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Proxy.Transport;
using KeyEvt.Resp;

namespace KeyEvt.Proxy.Merge;

/// <summary>
/// What is said on one connection to another master?
/// <code>
/// AUTH ...                                 where there is a password; nothing else before its answer, as some servers leave that out in a pipeline
/// (P)SUBSCRIBE / (P)UNSUBSCRIBE name ...   what has changed since the last time
/// PING version                             its answer comes behind those of the subscriptions: they are in force
/// </code>
/// One loop reads and writes. Whoever wants something of it (other names, a tick) wakes its read, and it looks for itself.
/// </summary>
/// <param name="answered">Told the version of the names that is in force.</param>
internal sealed class MasterConversation(IConnection connection, TopologyNode node, MergedStream stream, MergeServices services, Action<long> answered)
{
    /// <summary>How often the node is asked whether it is there; one that has not answered for so long is not.</summary>
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(5);

    private readonly PipeReader _input = connection.Input;
    private readonly PipeWriter _output = connection.Output;
    private RespReplyFramer _framer;

    /// <summary>Bytes in front of the buffer's end that the framer has seen: a frame's beginning.</summary>
    private long _framed;
    private bool _isIn;
    private MergedNames _asked = MergedNames.None with { Version = -1 };
    private volatile bool _tick;

    /// <summary>A PING or the login is out.</summary>
    private bool _isAsked;

    /// <summary>And was out at the last tick.</summary>
    private bool _isLate;

    /// <summary>A subscription was refused: asked again at each tick, as rights may have been given.</summary>
    private bool _isRefused;

    public void Wake() => _input.CancelPendingRead();

    /// <summary>Until the connection is lost.</summary>
    /// <exception cref="IOException">It is.</exception>
    /// <exception cref="RespProtocolException">What comes is no RESP.</exception>
    public async Task RunAsync()
    {
        await using var ticks = services.Time.CreateTimer(_ => Tick(), null, AskEvery, AskEvery);
        LogIn();
        while (true)
        {
            if (_tick) Ask();
            if (_isIn) Subscribe();
            if (!await _output.TryFlushAsync().ConfigureAwait(false)) throw new IOException("the node takes no more");
            var read = await _input.ReadAsync().ConfigureAwait(false);
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

    private void LogIn()
    {
        var (user, password) = (node.Address.User, node.Address.Password);
        _isIn = user is null && password is null;
        if (_isIn) return;
        if (user is null) Send("AUTH"u8, Encoding.UTF8.GetBytes(password!));
        else RespWriter.WriteCommand(_output, "AUTH"u8, Encoding.UTF8.GetBytes(user), Encoding.UTF8.GetBytes(password ?? ""));
        _isAsked = true;
    }

    private void Ask()
    {
        _tick = false;
        if (_isAsked && _isLate) throw new IOException($"no answer for {AskEvery.TotalSeconds} s");
        _isLate = _isAsked;
        if (_isLate) return;
        if (_isRefused) _asked = MergedNames.None with { Version = -1 };
        else Ping();
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
        if (!_isIn) throw new IOException($"the login is refused: {code}");
        _isRefused = true;
        if (isPassing) IsThere(); // also PING is answered so
    }

    private void Answered(ReadOnlySpan<byte> version)
    {
        IsThere();
        if (long.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var inForce)) answered(inForce);
    }

    /// <summary>The node has answered.</summary>
    private void IsThere() => _isAsked = _isLate = false;
}
