using CmvcStream.Evaluate.Live;

namespace CmvcStream.Evaluate.Tests.Live;

public class ShowinfoLinesTests
{
    [Fact]
    public void Take_LinesOfFfmpeg_KeepsThoseOfPictures()
    {
        var lines = new ShowinfoLines();
        lines.Take("[Parsed_showinfo_2 @ 0x5580] config in time_base: 1/90000, frame_rate: 5/1", 100);
        lines.Take("[Parsed_showinfo_2 @ 0x5580] n:   0 pts:      0 pts_time:0       pos:    48 fmt:yuv420p", 100.3);
        lines.Take("[Parsed_showinfo_2 @ 0x5580] n:   1 pts:  18000 pts_time:0.2     pos:    48 fmt:yuv420p", 100.4);
        lines.Take("[Parsed_showinfo_2 @ 0x5580] n:   2 pts:  NOPTS pts_time:NOPTS   pos:    48 fmt:yuv420p", 100.8);
        lines.Take("  Stream #0:0: Video: h264", 101);

        Assert.Equal([0, 0.2, 0.2], lines.Times);
        Assert.Equal(100.2, lines.Began, 6);
        Assert.True(lines.First.IsCompleted);
    }
}
