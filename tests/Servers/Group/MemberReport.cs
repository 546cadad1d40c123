namespace KeyEvt.Servers.Group;

/// <summary>What does a member know of another, or of itself?</summary>
public sealed record MemberReport(string Name, bool IsBrokerThere, bool HasSeat)
{
    internal static MemberReport Parse(string line)
    {
        var words = GroupReport.Words(line);
        return new MemberReport(words["name"], words["broker"] == "up", words["seat"] == "yes");
    }
}
