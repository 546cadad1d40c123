using KeyEvt.Proxy.Session;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>
/// What waits to be put between the replies of one client? Filled by the connections to the other masters, emptied by the client's reply pump, which alone writes to the client.
/// Bounded as Redis bounds what it keeps for a subscriber.
/// </summary>
/// <param name="wake">The reply pump may be waiting for the upstream: makes it look here.</param>
internal sealed class NotificationInbox(Action wake) : IInsertedFrames
{
    /// <summary>As Redis' <c>client-output-buffer-limit pubsub</c> in its smaller limit.</summary>
    public const int MaxBytes = 8 * 1024 * 1024;

    /// <summary>What an entry takes besides its bytes.</summary>
    private const int Overhead = 64;

    private readonly Lock _gate = new();
    private readonly Queue<(FanInName Name, byte[] Frame)> _frames = new();
    private long _bytes;
    private volatile bool _hasSome;

    /// <summary>The pump was woken and has not begun to take since.</summary>
    private bool _isSignalled;
    private bool _isClosed;

    public bool HasSome => _hasSome;

    /// <summary>The client speaks RESP3: notifications are pushes. Written and read by the reply pump alone.</summary>
    public bool IsResp3 { get; set; }

    /// <param name="name">What the client gets it for.</param>
    /// <param name="frame">A whole RESP2 message; owned from here on.</param>
    /// <returns>False: it is full.</returns>
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

    /// <summary>Called behind what was added, outside of every lock: the pump may run inside of it.</summary>
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
    /// <remarks>In the shape of the client's protocol.</remarks>
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

    /// <summary>Nothing is delivered any more.</summary>
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
