namespace KeyEvt.Simulation.Worlds;

/// <summary>When may a group have been disconnected by a command? What is written meanwhile is nobody's to deliver, and not every member counts it.</summary>
internal sealed class StoppedSpan(World world)
{
    private readonly List<(Member Member, Task Command)> _under = [];
    private long? _since;
    private int _given;

    /// <summary>A command is given that disconnects.</summary>
    public void Disconnects(Member member, Task command)
    {
        _since ??= world.Time.Now;
        _given++;
        _under.Add((member, command));
    }

    /// <summary>A connect command is given.</summary>
    /// <returns>What to give to <see cref="Connected"/>; null: a command that disconnects may come behind it.</returns>
    public int? Connects()
    {
        _under.RemoveAll(static one => one.Member.IsDead || one.Command.IsCompleted);
        return _under.Count == 0 ? _given : null;
    }

    /// <summary>A connect command has been answered. If no other command may have come behind it, the group is connected.</summary>
    public void Connected(int? given)
    {
        Note();
        if (given == _given) _since = null;
    }

    /// <summary>Excuses what has been written since it may have been disconnected.</summary>
    public void Note()
    {
        if (_since is { } since) world.Book.Excuse("the group may have been disconnected", write => write.At >= since);
    }
}
