namespace KeyEvt.Servers.Group;

/// <summary>What do the members that answer say at one time, and is it the same?</summary>
internal sealed class GroupView(IReadOnlyList<(GroupMember Member, GroupReport Report)> reports)
{
    /// <summary>Of the first master. Null when there is not exactly one, or somebody does not know it.</summary>
    public GroupMember? Holder =>
        reports.Where(one => one.Report.Stream.Role == "holder").ToList() is [var holder] && reports.All(one => one.Report.Stream.Holder == holder.Report.Member) ? holder.Member : null;

    /// <summary>There is a holder, and every other member could take over.</summary>
    public bool IsInStep => Holder is not null && reports.All(one => one.Report.Stream is { Role: "holder" } or { Role: "standby", ReachesBack: true });

    public override string ToString() => string.Join("; ", reports.Select(one => $"{one.Report.Member}: {one.Report.Stream}"));
}
