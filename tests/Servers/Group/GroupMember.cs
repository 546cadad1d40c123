namespace KeyEvt.Servers.Group;

/// <summary>How is one proxy of a group seen and harmed? Whoever asks all of them leaves out those that cannot answer.</summary>
public sealed class GroupMember : IAsyncDisposable
{
    private GroupMember(string name, KeyEvtProcess program) => (Name, Program) = (name, program);

    public string Name { get; }

    public KeyEvtProcess Program { get; }

    /// <summary>It runs, and is not frozen.</summary>
    public bool IsAnswering => !IsFrozen && !Program.Process.HasExited;

    public bool IsFrozen { get; private set; }

    public static async Task<GroupMember> StartAsync(string name, string[] arguments, string? file = null) => new(name, await KeyEvtProcess.StartAsync(arguments, file: file).ConfigureAwait(false));

    /// <summary>By key_evt_amqp.info group.</summary>
    public async Task<GroupReport> ReportAsync()
    {
        var reply = await Program.CallAsync("key_evt_amqp.info", "group").ConfigureAwait(false);
        return GroupReport.Parse(KeyEvtProcess.ParseInfo(reply.IsError ? throw new InvalidOperationException(reply.Text) : reply.Text));
    }

    /// <summary>By the admin page: also while no client can be served.</summary>
    public async Task<GroupReport> AdminReportAsync() => GroupReport.Parse(await Program.AdminInfoAsync().ConfigureAwait(false));

    /// <summary>One that has ended, with the same ports and options.</summary>
    public Task StartAgainAsync() => Program.RestartAsync();

    /// <summary>SIGSTOP.</summary>
    public void Freeze()
    {
        IsFrozen = true;
        Program.Freeze();
    }

    /// <summary>SIGCONT.</summary>
    public void Thaw()
    {
        Program.Thaw();
        IsFrozen = false;
    }

    public ValueTask DisposeAsync() => Program.DisposeAsync();

    public override string ToString() => Name;
}
