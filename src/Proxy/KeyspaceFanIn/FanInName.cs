namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>One channel or pattern that a client has subscribed to at its own node, by that node's own word.</summary>
/// <param name="isPattern">Of PSUBSCRIBE.</param>
/// <param name="name">As the client gave it.</param>
internal sealed class FanInName(bool isPattern, byte[] name)
{
    private volatile bool _isDropped;

    public bool IsPattern => isPattern;

    public ReadOnlyMemory<byte> Name => name;

    /// <summary>The client wants no more of it: what still waits for the client is thrown away.</summary>
    public bool IsDropped => _isDropped;

    public void Drop() => _isDropped = true;
}
