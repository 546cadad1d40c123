namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// Which writers send at the end of the turn? A writer is in the list at most once; the writer itself sees to that. Used on the loop's thread only.
/// </summary>
internal sealed class SendList
{
    private List<EpollWriter> _due = [];
    private List<EpollWriter> _sending = [];

    public bool IsEmpty => _due.Count == 0;

    public void Add(EpollWriter writer) => _due.Add(writer);

    /// <summary>
    /// Sends. A writer that is added meanwhile waits until the next call, so that writers cannot keep the loop from looking at its descriptors.
    /// </summary>
    public void Send()
    {
        (_sending, _due) = (_due, _sending);
        foreach (var writer in _sending) writer.SendAtEndOfTurn();
        _sending.Clear();
    }
}
