namespace KeyEvt.Simulation.Worlds;

/// <summary>When may a group have been disconnected by a command? What is written meanwhile is nobody's to deliver, and not every member counts it.</summary>
internal sealed class StoppedSpan(World world)
{
    private readonly List<(Member Member, Task Command)> _under = [];
    private long? _since;

    /// <summary>How many commands have been given that disconnect.</summary>
    public int Given { get; private set; }

    /// <summary>A command is given that disconnects.</summary>
    public void Disconnects(Member member, Task command)
    {
        _since ??= world.Time.Now;
        Given++;
        _under.Add((member, command));
    }

    /// <summary>A connect command has been answered. If no other command may have come behind it, the group is connected.</summary>
    /// <param name="given">What <see cref="Given"/> was when it was given.</param>
    public void Connected(int given)
    {
        _under.RemoveAll(static one => one.Member.IsDead || one.Command.IsCompleted);
        Note();
        if (given == Given && _under.Count == 0) _since = null;
    }

    /// <summary>Excuses what has been written since it may have been disconnected.</summary>
    public void Note()
    {
        if (_since is { } since) world.Book.Excuse("the group may have been disconnected", write => write.At >= since);
    }
}
