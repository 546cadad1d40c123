namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>One channel or pattern that a client has subscribed to, as confirmed by the client's own node.</summary>
/// <param name="isPattern">True: a pattern, of PSUBSCRIBE.</param>
/// <param name="name">As the client gave it.</param>
internal sealed class FanInName(bool isPattern, byte[] name)
{
    /// <summary>Set by the request pump or at the session's end; read by the reply pump.</summary>
    private volatile bool _isDropped;

    public bool IsPattern => isPattern;

    public ReadOnlyMemory<byte> Name => name;

    /// <summary>The client has unsubscribed: messages for this name that still wait for the client are thrown away.</summary>
    public bool IsDropped => _isDropped;

    public void Drop() => _isDropped = true;
}
