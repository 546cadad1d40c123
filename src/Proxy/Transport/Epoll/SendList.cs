namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>Who sends at the end of the turn? Each writer stands here once at most; it knows that itself.</summary>
internal sealed class SendList
{
    private List<EpollWriter> _due = [];
    private List<EpollWriter> _sending = [];

    public bool IsEmpty => _due.Count == 0;

    public void Add(EpollWriter writer) => _due.Add(writer);

    /// <summary>Who is added meanwhile waits for the next time: nobody may keep the loop from looking at its descriptors.</summary>
    public void Send()
    {
        (_sending, _due) = (_due, _sending);
        foreach (var writer in _sending) writer.SendAtEndOfTurn();
        _sending.Clear();
    }
}
