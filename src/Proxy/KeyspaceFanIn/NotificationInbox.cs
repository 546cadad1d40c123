using KeyEvt.Proxy.Session;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>
/// Which messages wait to be put between the replies of one client? The connections to the other masters fill it. The client's reply pump empties it, as it
/// alone writes to the client. Limited as Redis limits what it keeps for a subscriber. Thread safe: the gate guards all fields but <see cref="IsResp3"/>.
/// </summary>
/// <param name="wake">Wakes the reply pump, which may be waiting for the upstream, so that it looks here.</param>
internal sealed class NotificationInbox(Action wake) : IInsertedFrames
{
    /// <summary>As the soft limit, the smaller one, of Redis' default <c>client-output-buffer-limit pubsub</c>.</summary>
    public const int MaxBytes = 8 * 1024 * 1024;

    /// <summary>How much memory an entry takes besides its bytes.</summary>
    private const int Overhead = 64;

    private readonly Lock _gate = new();
    private readonly Queue<(FanInName Name, byte[] Frame)> _frames = new();
    private long _bytes;

    /// <summary>Written within the gate; the reply pump reads it without.</summary>
    private volatile bool _hasSome;

    /// <summary>The pump was woken and has not begun to take since then.</summary>
    private bool _isSignalled;
    private bool _isClosed;

    public bool HasSome => _hasSome;

    /// <summary>The client speaks RESP3, so notifications are pushes. Used by the reply pump only.</summary>
    public bool IsResp3 { get; set; }

    /// <param name="name">The client's subscription that the message is for.</param>
    /// <param name="frame">A whole RESP2 message. It belongs to the inbox from here on.</param>
    /// <returns>False: the inbox is full.</returns>
    public bool TryAdd(FanInName name, byte[] frame)
    {
        lock (_gate)
        {
            if (_isClosed) return true;
            if (_bytes + frame.Length + Overhead > MaxBytes) return false;
            _bytes += frame.Length + Overhead;
            _frames.Enqueue((name, frame));
            _hasSome = true;
            return true;
        }
    }

    /// <summary>Wakes the pump, after messages were added. Must be called outside of all locks, since the pump may run inside this call.</summary>
    public void Signal()
    {
        lock (_gate)
        {
            if (_frames.Count == 0 || _isSignalled) return;
            _isSignalled = true;
        }

        wake();
    }

    /// <inheritdoc/>
    public int BeginTaking()
    {
        lock (_gate)
        {
            _isSignalled = false;
            return _frames.Count;
        }
    }

    /// <inheritdoc/>
    /// <remarks>The frame has the shape of the client's protocol.</remarks>
    public ReadOnlyMemory<byte> Take()
    {
        lock (_gate)
        {
            if (!_frames.TryDequeue(out var next)) return default;
            _bytes -= next.Frame.Length + Overhead;
            _hasSome = _frames.Count > 0;
            if (next.Name.IsDropped) return default;
            if (IsResp3) next.Frame[0] = (byte)'>';
            return next.Frame;
        }
    }

    /// <summary>Drops everything. Nothing is delivered from here on.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            _frames.Clear();
            _bytes = 0;
            _hasSome = false;
        }
    }
}
